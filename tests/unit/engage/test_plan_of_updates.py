"""The plan's file and hash where custom mappings write fields (G5, I5)."""

from dataclasses import replace

import orjson

from muster.crm.engage_features import FIELDS, Seen
from muster.engage import push_items
from muster.engage.push_items import PushItem, Step
from muster.roster.written_fields import FieldWrite

ITEM = PushItem(
    step=Step.UPDATE,
    user="10042",
    member="ada",
    name="Ada",
    version=1,
    assignment=None,
    seen={"engage": Seen()},
    modified=None,
    fields={"title": FieldWrite("title__sys", "Rep", "Rep", None)},
    written={"title__sys": None},
)


def test_the_plan_is_read_as_it_was_written() -> None:
    assert push_items.read(push_items.written([ITEM])) == [ITEM]


def test_a_plan_of_before_there_were_custom_mappings_is_read() -> None:
    plain = replace(ITEM, step=Step.REMOVAL, fields={}, written={})
    document = orjson.loads(push_items.written([plain]))
    del document["fields"], document["written"]
    assert push_items.read(orjson.dumps(document)) == [plain]


def test_the_hash_is_of_what_is_written_and_not_of_what_is_tried_again() -> None:
    other = replace(ITEM, fields={"title": FieldWrite("title__sys", "Lead", "Lead", None)})
    assert push_items.plan_hash([ITEM]) != push_items.plan_hash([other])
    assert push_items.plan_hash([ITEM]) != push_items.plan_hash([])
    again = replace(ITEM, retried=(FIELDS,))
    assert push_items.plan_hash([again]) == push_items.plan_hash([])
