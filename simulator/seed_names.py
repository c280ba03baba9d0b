"""Word lists of the invented bank: common surnames and given names, branches, tags, group themes."""

BRANCHES = ("总行营业部", "城东支行", "城西支行", "高新支行", "滨江支行", "老城支行")
BRANCH_SHORT = ("总行", "城东", "城西", "高新", "滨江", "老城")
# where a larger bank has more branches: 支行 of districts that every city could have
DISTRICTS = (
    "锦绣", "文苑", "新城", "河西", "南湖", "北苑", "东湖", "翠园", "望江", "桥头",
    "学府", "金沙", "银河", "长青", "和平", "解放", "中山", "建设", "青年", "人民",
    "凤凰", "梧桐", "明珠", "花园", "科技园", "大学城", "会展", "空港", "高铁新区", "开发区",
)  # fmt: skip
POSITIONS = ("客户经理", "客户经理", "高级客户经理", "理财经理", "资深客户经理")
GROUP_THEMES = ("理财交流", "稳健财富", "财富沙龙", "存款服务")

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘"
    "蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
)
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚婷雪琳倩颖慧欣悦佳怡宁璐莹晨瑞宇航浩轩博峰鹏飞凯文斌辉建国志"
GIVEN_PAIRS = (
    "子涵", "雨桐", "思远", "佳宁", "文静", "晓明", "建华", "志强", "海燕", "丽华",
    "秀英", "桂兰", "国庆", "春梅", "玉珍", "俊杰", "浩然", "梦琪", "诗涵", "宇轩",
    "欣怡", "雅婷", "嘉豪", "天佑", "美玲", "永强", "晓东", "小红", "立新", "振华",
)  # fmt: skip

TAG_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("风险评级", ("C1 保守型", "C2 谨慎型", "C3 稳健型", "C4 积极型", "C5 进取型")),
    ("资产层级", ("5万以下", "5–20万", "20–50万", "50–100万", "100万以上")),
    ("客户阶段", ("新客", "存量", "高意向", "沉默")),
)
TAG_WEIGHTS: tuple[tuple[int, ...], ...] = ((18, 32, 30, 14, 6), (30, 34, 20, 11, 5), (15, 55, 12, 18))

STAFF_PER_BRANCH = 12


def name_branches(staff: int) -> list[tuple[str, str]]:
    """Return (name, short name) of a bank's branches: six up to 72 relationship managers, then one for each twelve."""
    branches = list(zip(BRANCHES, BRANCH_SHORT, strict=True))
    for number in range(staff // STAFF_PER_BRANCH - len(branches)):
        round_, place = divmod(number, len(DISTRICTS))
        short = DISTRICTS[place] + (f"{round_ + 1}" if round_ else "")
        branches.append((f"{short}支行", short))
    return branches
