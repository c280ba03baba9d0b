"""Installing, listing, searching, the shelf, and noticing changes."""

import dataclasses

import pytest

from bot.storage.database import Database
from knowledge_base import (
    Audience,
    LibraryStore,
    MatchKind,
    ProductStatus,
    ScriptState,
    do_approve,
    do_draft,
    do_install_starter,
    do_put_product,
    do_withdraw,
    find_product,
    find_script,
    library_version,
    list_categories,
    list_products,
    list_scripts,
    list_versions,
    load_library,
    render_answer,
    shelf_of,
    starter_products,
    starter_scripts,
)
from tests.knowledge_base.builders import NOW, ON, draft


async def test_starter_pack_is_installed_once(db: Database) -> None:
    async with db.transaction() as tx:
        first = await do_install_starter(tx, NOW)
        version = await library_version(tx)
        second = await do_install_starter(tx, NOW)
        assert (first.scripts, first.products) == (len(starter_scripts()), len(starter_products()))
        assert (second.scripts, second.products) == (0, 0)
        assert await library_version(tx) == version == 1


async def test_installing_again_keeps_what_the_bank_changed(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        await do_withdraw(tx, "co001", "S-0001", 1, "本行不用", NOW)
        deposit = await find_product(tx, "D001")
        assert deposit is not None
        await do_put_product(tx, "co001", dataclasses.replace(deposit, rate_text="年利率0.01%"), NOW)
        await do_install_starter(tx, NOW)
        assert await find_script(tx, "S-0001") is None
        assert [one.state for one in await list_versions(tx, "S-0001")] == [ScriptState.WITHDRAWN]
        kept = await find_product(tx, "D001")
        assert kept is not None
        assert kept.rate_text == "年利率0.01%"


async def test_customer_gets_approved_script_when_question_matches(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
    async with db.reading() as tx:
        library = await load_library(tx)
        shelf = shelf_of(await list_products(tx))
    outcome = library.match("20万大额存单利率是多少呀", Audience.CUSTOMER, ON)
    assert outcome.kind is MatchKind.ANSWER
    answer = render_answer(outcome.candidates[0].script, {}, shelf)
    assert "20万元起" in answer
    assert shelf["D006"].rate_text in answer


async def test_library_is_empty_before_anything_is_installed(db: Database) -> None:
    async with db.reading() as tx:
        assert await library_version(tx) == 0
        assert (await load_library(tx)).scripts == ()
        assert (await list_scripts(tx)).total == 0


async def test_each_node_notices_that_the_library_changed(db: Database) -> None:
    nodes = LibraryStore(), LibraryStore()
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        libraries = [await node.current(tx) for node in nodes]
        assert await nodes[0].current(tx) is libraries[0]
        await do_draft(tx, "rm001", draft(), NOW)
        assert await nodes[0].current(tx) is libraries[0]
        await do_approve(tx, "co001", "S-9001", 1, NOW)
        for node in nodes:
            outcome = (await node.current(tx)).match("夜间金库怎么用", Audience.RM, ON)
            assert outcome.candidates[0].script.id == "S-9001"


async def test_list_is_searched_by_every_word(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        found = await list_scripts(tx, "大额存单 转让")
        assert "S-0013" in [item.id for item in found.items]
        assert (await list_scripts(tx, "大额存单 火锅")).total == 0
        assert [item.id for item in (await list_scripts(tx, "s-0059")).items] == ["S-0059"]


async def test_search_takes_wildcards_as_letters(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        assert (await list_scripts(tx, "100%x")).total == 0


async def test_list_is_filtered_by_category_and_paged(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        categories = dict(await list_categories(tx))
        first = await list_scripts(tx, category="贷款")
        assert first.total == categories["贷款"]
        whole = await list_scripts(tx)
        last = await list_scripts(tx, page=999)
        assert whole.total == len(starter_scripts())
        assert (len(whole.items), last.page) == (20, whole.pages)
        assert last.items[-1].id == max(item.script.id for item in starter_scripts())
        assert sum(categories.values()) == whole.total


async def test_list_shows_drafts_and_withdrawn_scripts_with_their_state(db: Database) -> None:
    async with db.transaction() as tx:
        await do_draft(tx, "rm001", draft(), NOW)
        assert (await list_scripts(tx, "夜间金库")).items[0].state is ScriptState.DRAFT
        await do_withdraw(tx, "rm001", "S-9001", 1, "不要了", NOW)
        assert (await list_scripts(tx, "夜间金库")).items[0].state is ScriptState.WITHDRAWN


@pytest.mark.parametrize(
    ("asked", "code"),
    [("D006", "D006"), ("d006", "D006"), ("日日清现金管理1号", "W001"), ("日日清", "W001"), ("消费贷", "L002")],
)
async def test_product_is_found_by_code_name_or_a_telling_part(db: Database, asked: str, code: str) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        found = await find_product(tx, asked)
        assert found is not None
        assert found.code == code


@pytest.mark.parametrize("asked", ["", "  ", "固收", "单", "没有这个产品"])
async def test_unclear_product_name_finds_nothing(db: Database, asked: str) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        assert await find_product(tx, asked) is None


async def test_withdrawn_product_is_found_only_by_its_full_name(db: Database) -> None:
    async with db.transaction() as tx:
        await do_install_starter(tx, NOW)
        assert await find_product(tx, "半年旧版") is None
        found = await find_product(tx, "W006")
        assert found is not None
        assert found.status is ProductStatus.WITHDRAWN
