"""The review desk in the browser's words: list, case, verdict, undo."""

import re

import httpx
from sqlmodel import select

from bot.audit import AuditEntry
from compliance.models import CaseRow
from tests.console.world import World, add_officer, open_a_case, open_another_case


async def _cases(world: World) -> list[CaseRow]:
    async with world.db.reading() as tx:
        return list((await tx.exec(select(CaseRow).order_by(CaseRow.id))).all())


async def _actions(world: World) -> list[str]:
    async with world.db.reading() as tx:
        return [entry.action for entry in (await tx.exec(select(AuditEntry).order_by(AuditEntry.seq))).all()]  # type: ignore[arg-type]  # a column at class level


def _decide(case: CaseRow, **fields: str) -> dict[str, str]:
    return {"revision": str(case.revision), "tab": "open", **fields}


async def test_empty_queue_says_that_all_is_done(world: World) -> None:
    client = await world.login("co001")
    assert "都复核完了" in (await client.get("/review")).text


async def test_case_shows_only_the_context_with_rule_version_and_masked_numbers(world: World) -> None:
    await open_a_case(world)
    [case] = await _cases(world)
    client = await world.login("co001")
    page = (await client.get(f"/review/{case.id}")).text
    assert "<mark>保本保息</mark>" in page
    assert "词库 v1" in page
    assert "promise_return" in page
    assert "138****2210" in page
    assert "13800002210" not in page
    assert "今天第60次" not in page
    assert "再看更早的" in page
    assert "case.viewed" in await _actions(world)
    unfolded = (await client.get(f"/review/{case.id}?earlier=20")).text
    assert "今天第60次" in unfolded


async def test_verdict_opens_the_next_case_and_can_be_taken_back(world: World) -> None:
    await open_a_case(world)
    await open_another_case(world)
    cases = await _cases(world)
    assert len(cases) == 2
    client = await world.login("co001")
    first = re.findall(r'href="/review/(case_[0-9a-z]+)', (await client.get("/review")).text)[0]
    case = next(one for one in cases if one.id == first)
    other = next(one for one in cases if one.id != first)
    answer = await client.post(
        f"/review/{case.id}/decide",
        data=_decide(case, verdict="confirmed", severity="high", conduct="promise", follow_up="coach"),
        headers={"X-Fragment": "case"},
    )
    assert answer.headers["location"] == f"/review/{other.id}?tab=open"
    landed = await client.get(answer.headers["location"], headers={"X-Fragment": "case"})
    assert landed.headers["x-message"]
    undo = httpx.URL(landed.headers["x-undo"]).raw_path.decode()
    assert 'data-into="#queue"' in landed.text
    assert f"/review/{other.id}/decide" in landed.text
    taken_back = await client.post(_unquote(undo))
    assert taken_back.headers["location"] == f"/review/{case.id}?tab=open"
    states = {one.id: one.state for one in await _cases(world)}
    assert states[case.id] == "in_review"
    actions = await _actions(world)
    assert actions.index("case.confirmed") < actions.index("case.undone")


def _unquote(path: str) -> str:
    return path.replace("%3F", "?").replace("%3D", "=").replace("%26", "&").replace("%2F", "/")


async def test_verdict_without_its_reason_is_explained_and_keeps_the_note(world: World) -> None:
    await open_a_case(world)
    [case] = await _cases(world)
    client = await world.login("co001")
    answer = await client.post(f"/review/{case.id}/decide", data=_decide(case, verdict="dismissed", note="看过了"))
    assert answer.status_code == 422
    assert "请选择误报的原因" in answer.text
    assert "看过了</textarea>" in answer.text
    assert [one.state for one in await _cases(world)] == ["open"]
    answer = await client.post(f"/review/{case.id}/decide", data=_decide(case, verdict="dismissed", reason="quotation"))
    assert answer.status_code == 303


async def test_verdict_on_what_has_changed_is_refused_with_the_present_state(world: World) -> None:
    await open_a_case(world)
    [case] = await _cases(world)
    await add_officer(world, "co002")
    client, fields = await world.login("co001"), _decide(case, verdict="dismissed", reason="quotation")
    other = world.client()
    await other.post("/login", data={"staff_id": "co002", "password": "another-password"})
    assert (await other.post(f"/review/{case.id}/decide", data=fields)).status_code == 303
    answer = await client.post(f"/review/{case.id}/decide", data=fields)
    assert answer.status_code == 409
    assert "这一单刚刚有变化" in answer.text
    assert "已排除" in answer.text


async def test_nobody_without_the_right_decides(world: World) -> None:
    await open_a_case(world)
    [case] = await _cases(world)
    for staff_id in ("rm001", "ad001"):
        client = await world.login(staff_id)
        answer = await client.post(
            f"/review/{case.id}/decide", data=_decide(case, verdict="dismissed", reason="quotation")
        )
        assert answer.status_code == 403
    assert [one.state for one in await _cases(world)] == ["open"]


async def test_unknown_case_is_not_found(world: World) -> None:
    client = await world.login("co001")
    assert (await client.get("/review/case_none")).status_code == 404
