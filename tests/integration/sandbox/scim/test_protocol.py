"""The app without any quirk: SCIM as the RFC has it, its token, its admin's paths, its file, its page."""

import re
from pathlib import Path

import pytest
from scim2_models import EnterpriseUser, ListResponse, User

from sandbox.scim.__main__ import main
from sandbox.scim.profiles import PROFILES
from sandbox.scim.quirks import Quirks, read_quirks
from tests.doubles.scim_in_process import USER, ScimInProcess, scim_in_process

ROOT = Path(__file__).parents[4]
NAMES = ["ada", "bo", "cy", "di", "eli", "flo", "gus", "hal", "ida", "jo", "kit", "lou", "mia", "nora"]


def test_a_user_is_made_found_changed_and_removed(scim: ScimInProcess) -> None:
    created = scim.post("Ada@acme.example", externalId="0051")
    user = created.get_json()
    assert (created.status_code, created.mimetype) == (201, "application/scim+json")
    assert created.headers["Location"] == user["meta"]["location"]
    assert scim.listed('userName eq "ADA@acme.example"') == ["Ada@acme.example"]
    assert scim.listed('externalId eq "0051"') == ["Ada@acme.example"]
    assert scim.patch(user["id"], ("replace", "title", "Countess")).status_code == 204
    assert scim.user(user["id"])["title"] == "Countess"
    again = scim.post("ada@ACME.example")
    assert (again.status_code, again.get_json()["scimType"]) == (409, "uniqueness")
    assert scim.send("DELETE", f"/Users/{user['id']}").status_code == 204
    assert scim.user(user["id"], status=404)["status"] == "404"


def test_members_come_and_go_and_a_removed_user_is_in_no_group(scim: ScimInProcess) -> None:
    ada, bob = scim.create(), scim.create()
    group = scim.group("Sales", ada)
    assert scim.add(group, bob).status_code == 204
    assert scim.members(group) == [ada, bob]
    scim.patch(group, ("remove", f'members[value eq "{ada}"]'), endpoint="Groups")
    assert scim.members(group) == [bob]
    scim.call("DELETE", f"/Users/{bob}", status=204)
    assert scim.members(group) == []


def test_a_list_has_pages(scim: ScimInProcess) -> None:
    names = sorted(f"{number}@acme.example" for number in range(5))
    for name in names:
        scim.create(name)
    pages = [scim.call("GET", "/Users", startIndex=str(start), count="2") for start in (1, 3, 5)]
    assert [len(page["Resources"]) for page in pages] == [2, 2, 1]
    assert sorted(row["userName"] for page in pages for row in page["Resources"]) == names
    assert ListResponse[User[EnterpriseUser]].model_validate(pages[0]).total_results == 5


def test_gongs_extension_is_kept_and_advertised(scim: ScimInProcess) -> None:
    urn = "urn:ietf:params:scim:schemas:extension:Gong:2.0:User"
    ada = scim.create("ada@acme.example", schemas=[USER, urn], **{urn: {"country": "GB"}})
    assert scim.user(ada)[urn] == {"country": "GB"}
    schemas = {each["id"]: each for each in scim.call("GET", "/Schemas")["Resources"]}
    assert urn in schemas
    (name,) = (each for each in schemas[USER]["attributes"] if each["name"] == "userName")
    assert name["uniqueness"] == "server"


def test_without_the_token_only_the_configuration_is_shown(scim: ScimInProcess) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    refused = scim.send("GET", "/Users", headers=wrong)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="SCIM"')
    assert scim.send("GET", "/ServiceProviderConfig", headers=wrong).status_code == 200


def test_a_token_ends_and_another_takes_its_place(scim: ScimInProcess) -> None:
    scim.control("POST", "token/expire")
    assert scim.send("GET", "/Users").status_code == 401
    before = scim.app.token
    scim.control("PUT", "token", {"token": "new"})
    assert scim.send("GET", "/Users").status_code == 200
    assert scim.send("GET", "/Users", headers={"Authorization": f"Bearer {before}"}).status_code == 401
    assert scim.control("PUT", "token", {"token": ""}, status=400)["error"] == "token is a text"


def test_the_admin_is_above_quirks_and_uncounted(scim: ScimInProcess) -> None:
    ada = scim.create("ada@acme.example")
    scim.quirks(refuses=["PATCH", "POST"], inactive="gone", seats=0)
    scim.control("POST", "admin/Users", {"schemas": [USER], "userName": "bob@acme.example"}, status=201)
    body = {"schemas": [USER], "userName": "ada@acme.example", "active": False}
    scim.control("PUT", f"admin/Users/{ada}", body)
    assert scim.truth() == {"ada@acme.example": False, "bob@acme.example": True}
    assert scim.control("GET", "requests") == [
        {"method": "POST", "path": "/scim/v2/Users", "status": 201, "count": 1}
    ]


def test_it_forgets_what_a_while_changed(scim: ScimInProcess) -> None:
    ada = scim.create("ada@acme.example")
    scim.clock.pass_s(100)
    scim.create("bob@acme.example")
    scim.patch(ada, ("replace", "active", False))
    scim.control("POST", "forget", {"seconds": 50})
    assert scim.truth() == {"ada@acme.example": True}
    assert scim.control("POST", "forget", {"seconds": "all"}, status=400)["error"]


def test_a_reset_goes_back_to_the_start() -> None:
    with scim_in_process(quirks={"seats": 3}) as scim:
        scim.create()
        scim.quirks(inactive="gone")
        scim.control("POST", "token/expire")
        scim.control("POST", "reset")
        assert scim.truth() == {}
        assert (scim.app.quirks.seats, scim.app.quirks.inactive) == (3, "kept")
        assert scim.send("GET", "/Users").status_code == 200


def test_the_page_shows_people_and_groups_and_believes_no_markup(scim: ScimInProcess) -> None:
    assert "Nobody has an account yet" in scim.http.get("/").text
    ada = scim.create("ada@acme.example", displayName="<b>Ada</b>", entitlements=[{"value": "recorder"}])
    scim.group("Sales", ada)
    scim.patch(ada, ("replace", "active", False))
    answer = scim.http.get("/")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    for text in ("&lt;b&gt;Ada&lt;/b&gt;", "recorder", "<td>Sales</td>", "closed", "0 active, 1 in all"):
        assert text in answer.text
    assert scim.http.get("/", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 403


def test_the_page_shows_open_accounts_first_and_the_first_of_many_members(scim: ScimInProcess) -> None:
    ada, *others = [scim.create(f"{name}@acme.example", displayName=name.title()) for name in NAMES]
    scim.patch(ada, ("replace", "active", False))
    scim.group("Everyone", ada, *others)
    shown = scim.http.get("/").text
    assert shown.index("<td>Nora</td>") < shown.index("<td>Ada</td>"), "closed accounts come last"
    assert "Ada, Bo, Cy, Di, Eli, Flo, Gus, Hal, Ida, Jo, Kit, Lou, and 2 more" in shown


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "the body must be an object of quirks"),
        ({"seets": 3}, "seets: Extra inputs are not permitted; the quirks are patch_ignores, put_left_out"),
        ({"seats": -1}, "seats: Input should be greater than or equal to 0"),
        ({"inactive": "flown"}, "inactive: Input should be 'kept', 'gone'"),
        ({"profile": "acme"}, "profile is one of gong, aws_identity_center"),
    ],
)
def test_a_wrong_quirk_is_refused(scim: ScimInProcess, given: object, says: str) -> None:
    assert says in scim.control("POST", "quirks", given, status=400)["error"]


def test_the_page_about_sandboxes_names_every_quirk() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", (ROOT / "sandbox" / "README.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named >= set(Quirks.model_fields)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_can_be_put_and_added_to(scim: ScimInProcess, name: str) -> None:
    scim.quirks(profile=name, members_shown=0)
    assert scim.app.quirks == read_quirks(PROFILES[name] | {"members_shown": 0}, {})


def test_the_command_refuses_a_wrong_quirk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sandbox.scim", "--quirks", '{"profile": "acme"}'])
    with pytest.raises(SystemExit):
        main()
    assert "--quirks: profile is one of" in capsys.readouterr().err
