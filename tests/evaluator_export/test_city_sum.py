"""The City's sum: exact, whoever drops out; each attack is refused; nobody learns one centre's numbers."""

import base64
import copy
import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator_export.citysum import masks
from evaluator_export.citysum.coordinator import RESULT
from evaluator_export.citysum.letters import CITY, compute_hash, read_letter, write_letter
from evaluator_export.citysum.lists import AGREEMENT, KEYS, LISTS, NUMBERS, OPENING, SHARES, TABLE
from evaluator_export.citysum.opening import add_masks, derive_mask
from evaluator_export.citysum.protect import protect_sum
from evaluator_export.citysum.registry import compute_least, read_call, read_registry, write_call, write_card, write_registry
from evaluator_export.problems import ExportProblem
from tests.evaluator_export.city_sum import PERIOD, City, round_half, table

EXACT = {"by_area": table(least=0)}


def exact_city(centres: int = 10, **more: Any) -> City:
    """Return a City whose table is of things that anybody can count, so that the result is the exact sum."""
    city = City(centres, EXACT, **more)
    city.publish = str
    return city


# What is refused before anything is masked


def test_a_city_with_too_few_centres_is_refused() -> None:
    with pytest.raises(ExportProblem, match="9 centres; 10 are needed"):
        City(9)


def test_thin_tables_need_fifteen_centres() -> None:
    thin = {"by_two": table(columns=["area", "time"], cells=[["w01", "night"], ["total"]])}
    with pytest.raises(ExportProblem, match="fewer than 15"):
        City(14, thin, counts=[[0]] * 14)
    assert City(15, thin, counts=[[0]] * 15).registry.least == 10


@pytest.mark.parametrize("least", [5, 6, 11])
def test_a_city_that_would_open_with_fewer_is_refused(least: int) -> None:
    city = City(10)
    body = json.loads(json.loads(city.registry_text)["letter"])
    text = write_letter("registry", CITY, {**body, "least": least}, city.key.sign)
    with pytest.raises(ExportProblem, match="must be 7 or more"):
        read_registry(text)


def test_two_thirds_of_all_open_a_sum() -> None:
    assert [compute_least(number) for number in (10, 15, 30)] == [7, 10, 20]


def test_one_centre_under_two_names_does_not_count_twice() -> None:
    city = City(10)
    city.keys["c09"] = city.keys["c08"]
    with pytest.raises(ExportProblem, match="There are 9 centres"):
        city.write_registry()


@pytest.mark.parametrize("name", ["city", "../etc", "Rexdale", "", "a" * 41, "a.b"])
def test_a_name_that_could_be_another_file_is_refused(name: str) -> None:
    key = City(10).keys["c00"]
    with pytest.raises(ExportProblem, match="no name for a centre"):
        write_card(name, "x", key.public_key().public_bytes_raw().hex(), {}, {}, key.sign)


def test_two_centres_with_one_name_are_refused() -> None:
    city = City(10)
    cards = [_card(city, name) for name in city.keys]
    with pytest.raises(ExportProblem, match="Two cards have the name “c00”"):
        write_registry("Toronto", city.registry.city_key, [*cards, cards[0]], ["by_area"], city.key.sign)


def test_tables_that_two_centres_count_differently_are_refused() -> None:
    city = City(10)
    cards = []
    for name in city.keys:
        city.tables = {"by_area": table(cells=[["w00"], ["total"]])} if name == "c03" else {"by_area": table()}
        cards += [_card(city, name)]
    with pytest.raises(ExportProblem, match="not counted alike"):
        write_registry("Toronto", city.registry.city_key, cards, ["by_area"], city.key.sign)


def _card(city: City, name: str) -> str:
    key = city.keys[name]
    return write_card(name, name, key.public_key().public_bytes_raw().hex(), city.tables, city.words(), key.sign)


@pytest.mark.parametrize("period", ["2026-09", "2026", "2026-W40"])
def test_only_whole_quarters_are_summed(period: str) -> None:
    city = City(10)
    with pytest.raises(ExportProblem, match="no quarter"):
        write_call(city.registry, period, 1, city.key.sign)


def test_a_centre_answers_only_quarters_since_it_joined() -> None:
    city = City(10)
    city.diaries["c00"]["since"] = "2026-07-02"
    with pytest.raises(ExportProblem, match="begins earlier"):
        city.step("c00")
    city.diaries["c00"]["since"] = "2026-07-01"
    assert city.step("c00") == KEYS


def test_who_joins_joins_at_a_new_year() -> None:
    city = City(10)
    city.step("c00")
    city.registry = read_registry(City(11).registry_text)
    with pytest.raises(ExportProblem, match="another list of centres"):
        city.member("c00").write_next(city.call, {}, city.numbers("c00"))


@pytest.mark.parametrize("kind", [KEYS, SHARES, NUMBERS, AGREEMENT, OPENING])
def test_a_letter_that_was_changed_or_signed_by_another_counts_as_none(kind: str) -> None:
    city = City(10)
    city.go_to(kind)
    genuine = city.box[kind, "c01"]
    forged = json.loads(genuine)
    for signer in ("c02", "nobody"):
        outer = copy.deepcopy(forged)
        if signer == "nobody":
            outer["letter"] = outer["letter"].replace(city.call.id[:10], "0" * 10, 1)
            text = json.dumps(outer)
        else:
            body = json.loads(outer["letter"])
            text = write_letter(kind, "c01", body, city.keys[signer].sign)
        with pytest.raises(ExportProblem, match=f"“{kind}” of c01 is not signed"):
            read_letter(text, kind, "c01", city.registry.keys["c01"])
    city.box[kind, "c01"] = "not even JSON"
    result = city.run()
    # Who had sent its numbers is in the sum, also when what it opens is lost.
    assert ("c01" in result["members"]) == (kind in (AGREEMENT, OPENING))


# It works


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_sum_is_exact_over_those_who_took_part(data: st.DataObject) -> None:
    counts = [data.draw(st.lists(st.integers(0, 5000), min_size=4, max_size=4)) for _ in range(10)]
    names = st.sampled_from([f"c{number:02}" for number in range(10)])
    gone = data.draw(st.sets(names, max_size=3))
    kind = data.draw(st.sampled_from([KEYS, SHARES, NUMBERS, AGREEMENT, OPENING, TABLE]))
    city = exact_city(counts=counts)
    result = city.run(gone_before={kind: gone})
    members = result["members"]
    absent = gone if kind in (KEYS, SHARES, NUMBERS) else set()
    assert set(members) == set(city.keys) - absent
    assert [int(text) for text in result["tables"]["by_area"]] == city.true_sums(members)


def test_a_number_too_small_at_each_centre_counts_in_the_sum() -> None:
    city = City(10, counts=[[4, 0, 1, 3]] * 10)
    assert all(text == "<25" for text in city.numbers("c00")(None).texts)
    first, second, third, fourth, total = city.run()["tables"]["by_area"]
    assert (first, second, third, fourth, total) == ("40", "<25", "<25", "30", "80")


@pytest.mark.slow
def test_it_survives_three_who_never_send_and_three_who_fall_silent_of_thirty() -> None:
    city = exact_city(30, counts=[[number, 1, 0, 2] for number in range(30)])
    result = city.run(gone_before={NUMBERS: ["c00", "c11", "c29"], AGREEMENT: ["c05", "c06", "c07"]})
    assert len(result["members"]) == 27 and len(result["signed_by"]) == 24
    assert [int(text) for text in result["tables"]["by_area"]] == city.true_sums(result["members"])


def test_with_one_more_gone_than_that_there_is_no_result_and_nothing_is_opened() -> None:
    city = exact_city(10)
    assert city.run(gone_before={NUMBERS: ["c00", "c01", "c02", "c03"]}) == {}
    assert not [name for kind, name in city.box if kind in (AGREEMENT, OPENING)]
    other = exact_city(10)
    assert other.run(gone_before={NUMBERS: ["c00", "c01"], AGREEMENT: ["c02", "c03"]}) == {}
    assert not [name for kind, name in other.box if kind == OPENING]


def test_killed_between_any_two_letters_a_centre_sends_the_same_again() -> None:
    city = exact_city(10)
    for _ in range(12):
        for name in city.keys:
            before = json.dumps(city.diaries[name])
            kind = city.step(name)
            if kind is None:
                continue
            # What was saved is all that is left, and what was sent is sent again from it.
            saved = json.loads(json.dumps(city.diaries[name]))
            city.diaries[name] = saved
            assert city.member(name).list_letters(city.call)[kind] == city.box[kind, name]
            assert city.step(name) != kind
            assert before != json.dumps(saved)
        city.list_next()
    assert (RESULT, CITY) in city.box


def test_sums_are_rounded_alike_in_each_attempt_and_never_shown_under_the_floor() -> None:
    secret = b"s" * 32
    shown = [protect_sum(number, table(), ("w01",), PERIOD, secret) for number in range(300)]
    assert all(text == "<25" for text in shown[:21]) and all(
        abs(int(text) - n) < 5 for n, text in enumerate(shown) if text != "<25"
    )
    draws = [int(protect_sum(102, table(), ("w01",), PERIOD, number.to_bytes(32, "big"))) for number in range(2000)]
    assert abs(sum(draws) / len(draws) - 102) < 0.3
    city = City(10, counts=[[12, 7, 3, 9]] * 10)
    first = city.run()
    city.call_round(2)
    assert city.run(members=first["members"])["tables"] == first["tables"]


def test_a_second_attempt_sums_the_same_numbers_also_where_they_were_revised() -> None:
    """Else what one centre revised would be the difference of two sums."""
    city = exact_city(10, counts=[[5, 5, 5, 5]] * 10)
    first = city.run()
    city.counts["c04"] = [9, 9, 9, 9, 36]
    city.call_round(2)
    assert city.run(members=first["members"])["tables"] == first["tables"]


# Attacks


def test_a_second_roster_for_a_period_is_refused() -> None:
    city = exact_city(10)
    city.go_to(NUMBERS)
    city.list_next()
    assert city.step("c00") == AGREEMENT
    hashes = {name: compute_hash(city.box[NUMBERS, name]) for name in city.keys if name != "c09"}
    city.box[LISTS[NUMBERS], CITY] = write_letter(
        LISTS[NUMBERS], CITY, {"round": city.call.id, "letters": hashes}, city.key.sign
    )
    with pytest.raises(ExportProblem, match="agrees on one a period"):
        city.step("c00")  # would open the second list
    for name in list(city.keys)[1:9]:
        city.step(name)
    assert city.step("c01") == OPENING  # they agreed on the second alone
    with pytest.raises(ExportProblem, match="agrees on one a period"):
        city.step("c00")


def test_a_second_attempt_with_another_roster_is_refused() -> None:
    city = exact_city(10)
    city.run()
    city.call_round(2)
    with pytest.raises(ExportProblem, match="agrees on one a period"):
        city.run(gone_before={NUMBERS: ["c09"]})
    assert not [name for kind, name in city.box if kind == OPENING]


def test_a_round_that_failed_binds_its_roster_too() -> None:
    """It may have been opened in secret."""
    city = exact_city(10)
    assert city.run(gone_before={OPENING: ["c00", "c01", "c02", "c03"]}) == {}
    city.call_round(2)
    with pytest.raises(ExportProblem, match="agrees on one a period"):
        city.run(gone_before={NUMBERS: ["c09"]})
    city.call_round(3)
    result = city.run(members=sorted(city.keys))
    assert [int(text) for text in result["tables"]["by_area"]] == city.true_sums(city.keys)


def test_nothing_is_opened_with_too_few_agreements_or_agreements_on_another_list() -> None:
    city = exact_city(10)
    city.go_to(AGREEMENT)
    letters = {name: city.box.pop((AGREEMENT, name)) for name in list(city.keys)[1:5]}
    assert city.step("c00") is None  # six of seven
    for name in letters:
        body = json.loads(json.loads(letters[name])["letter"])
        other = {**body, "members": sorted(city.keys)[:9]}
        city.box[AGREEMENT, name] = write_letter(AGREEMENT, name, other, city.keys[name].sign)
    assert city.step("c00") is None
    city.box |= {(AGREEMENT, name): letter for name, letter in letters.items()}
    assert city.step("c00") == OPENING


def test_a_call_that_is_used_again_with_other_words_is_refused() -> None:
    city = exact_city(10)
    city.step("c00")
    body = json.loads(json.loads(write_call(city.registry, PERIOD, 1, city.key.sign))["letter"])
    city.call = read_call(write_letter("call", CITY, {**body, "more": "x"}, city.key.sign), city.registry)
    with pytest.raises(ExportProblem, match="called before with other words"):
        city.step("c00")


def test_a_city_with_fewer_than_a_third_on_its_side_cannot_have_two_lists_opened() -> None:
    """Its centres sign both; each honest one signs the list that the City shows to it."""
    city = exact_city(10)
    city.go_to(NUMBERS)
    names = sorted(city.keys)
    liars, first, second = names[:3], names[3:7], names[7:9]
    boxes = []
    for members in (names, names[:9]):  # the second list would show what the last centre alone has
        hashes = {name: compute_hash(city.box[NUMBERS, name]) for name in members}
        text = write_letter(LISTS[NUMBERS], CITY, {"round": city.call.id, "letters": hashes}, city.key.sign)
        boxes.append({**city.box, (LISTS[NUMBERS], CITY): text})
    for box, honest in zip(boxes, (first, second), strict=True):
        city.box = box
        for name in liars:
            before = copy.deepcopy(city.diaries[name])
            assert city.step(name) == AGREEMENT
            city.diaries[name] = before  # it forgets what it signed
        for name in honest:
            assert city.step(name) == AGREEMENT
    city.box = boxes[0]
    assert [city.step(name) for name in first] == [OPENING] * 4
    city.box = boxes[1]
    assert [city.step(name) for name in second] == [None] * 2  # five of seven
    for name in first:
        with pytest.raises(ExportProblem, match="agrees on one a period"):
            city.member(name).require_one_roster(PERIOD, names[:9])


@pytest.mark.parametrize("kind", [KEYS, SHARES])
def test_a_city_that_tells_each_centre_another_list_is_refused(kind: str) -> None:
    """With another list, masks would not cancel out, or shares would go to a key of the City's own."""
    city = exact_city(10)
    city.go_to(kind)
    city.list_next()
    following = {KEYS: SHARES, SHARES: NUMBERS}[kind]
    first_list = city.box[LISTS[kind], CITY]
    assert city.step("c00") == following
    hashes = {name: compute_hash(city.box[kind, name]) for name in list(city.keys)[:9]}
    city.box[LISTS[kind], CITY] = write_letter(LISTS[kind], CITY, {"round": city.call.id, "letters": hashes}, city.key.sign)
    for name in list(city.keys)[1:9]:
        assert city.step(name) == following
    # The City lists both; the first centre sees that the others rest on another list.
    both = {name: compute_hash(city.box[following, name]) for name in list(city.keys)[:9]}
    text = write_letter(LISTS[following], CITY, {"round": city.call.id, "letters": both}, city.key.sign)
    city.box[LISTS[following], CITY] = text
    for name, before in (("c00", first_list), ("c01", city.box[LISTS[kind], CITY])):
        city.box[LISTS[kind], CITY] = before
        with pytest.raises(ExportProblem, match="is not the one that the centres answered"):
            city.step(name)


def test_a_city_that_puts_its_own_letter_in_a_centres_place_is_refused() -> None:
    city = exact_city(10)
    city.go_to(KEYS)
    city.diaries["c00"], before = {}, city.diaries["c00"]
    del city.box[KEYS, "c00"]
    city.step("c00")  # another letter, signed by the centre, as from a copy of its machine
    city.list_next()
    city.diaries["c00"] = before
    with pytest.raises(ExportProblem, match="is not the one that the centres answered"):
        city.step("c00")


# Liars


def test_numbers_out_of_bounds_are_seen_by_every_member_and_nobody_signs() -> None:
    city = City(10, counts=[[4, 0, 1, 3]] * 10)
    city.counts["c02"][1] += 1000
    city.publish = lambda number: round_half(min(number, 20))
    city.go_to(OPENING)
    for name in city.keys:
        with pytest.raises(ExportProblem, match="by_area, w01: this sum cannot be"):
            city.step(name)


def test_parts_above_their_total_are_seen() -> None:
    city = exact_city(10)
    city.counts["c02"][-1] = 0
    city.go_to(OPENING)
    with pytest.raises(ExportProblem, match="by_area, total: this sum cannot be"):
        city.step("c00")


@pytest.mark.parametrize("text", ["<4000", "7", "12", "-5", "٣٠", "1e9", "", 30])
def test_what_no_centre_publishes_is_refused_as_its_text(text: Any) -> None:
    city = City(10)
    city.go_to(NUMBERS)
    body = json.loads(json.loads(city.box[NUMBERS, "c03"])["letter"])
    body["texts"][0] = text
    city.box[NUMBERS, "c03"] = write_letter(NUMBERS, "c03", body, city.keys["c03"].sign)
    city.list_next()
    with pytest.raises(ExportProblem, match="c03 sent other numbers than were called for"):
        city.step("c00")


@pytest.mark.parametrize("vector", [b"", b"1" * 8, b"1" * 41])
def test_a_vector_of_another_size_is_refused(vector: bytes) -> None:
    city = City(10)
    city.go_to(NUMBERS)
    body = json.loads(json.loads(city.box[NUMBERS, "c03"])["letter"])
    body["vector"] = base64.b64encode(vector).decode()
    city.box[NUMBERS, "c03"] = write_letter(NUMBERS, "c03", body, city.keys["c03"].sign)
    city.list_next()
    with pytest.raises(ExportProblem, match="c03 sent other numbers"):
        city.step("c00")


def test_wrong_shares_of_one_member_are_left_out() -> None:
    """And where all are needed, the centre is named whose numbers cannot be opened."""
    city = exact_city(10)
    city.go_to(OPENING)
    wrong = _open_wrongly(city, "c04")
    city.box[OPENING, "c04"] = wrong
    result = city.run()
    assert [int(text) for text in result["tables"]["by_area"]] == city.true_sums(city.keys)
    other = exact_city(10)
    other.go_to(OPENING)
    other.box[OPENING, "c04"] = _open_wrongly(other, "c04")
    for name in ("c07", "c08", "c09"):
        del other.box[OPENING, name]
    with pytest.raises(ExportProblem, match="The numbers of c00 cannot be opened"):
        other.step("c01")


def _open_wrongly(city: City, name: str) -> str:
    """Return the opening of a member whose shares are all of another secret."""
    state = city.diaries[name]["rounds"][city.call.id]
    body = json.loads(json.loads(city.box[OPENING, name])["letter"])
    shares = json.dumps(dict.fromkeys(city.keys, "00" * 66)).encode()
    for reader in body["boxes"]:
        key = read_letter(city.box[KEYS, reader], KEYS, reader, city.registry.keys[reader])["seal"]
        secret = masks.agree_on_secret(bytes.fromhex(state["seal"]), bytes.fromhex(key))
        label = "|".join((city.call.id, "opening", name, reader))
        body["boxes"][reader] = masks.close_box(secret, label, shares).hex()
    return write_letter(OPENING, name, body, city.keys[name].sign)


# What a transcript opens


def _look(city: City, name: str, kind: str) -> dict[str, Any]:
    return read_letter(city.box[kind, name], kind, name, city.registry.keys[name])


def _take_off_known_masks(city: City, name: str, colluders: set[str], opened: dict[str, bytes]) -> Any:
    """Return a member's vector less all masks that the City and colluders know."""
    vector = np.frombuffer(base64.b64decode(_look(city, name, NUMBERS)["vector"]), "<u8")
    vector = vector - masks.expand(opened[name], len(vector))
    public = bytes.fromhex(_look(city, name, KEYS)["mask"])
    for other in colluders:
        private = bytes.fromhex(city.diaries[other]["rounds"][city.call.id]["mask"])
        mask = derive_mask(masks.agree_on_secret(private, public), city.call.id, len(vector))
        vector = vector - mask if other > name else vector + mask
    return vector


@pytest.mark.parametrize("k", [0, 1, 3, 6])
def test_the_city_and_k_colluders_learn_the_sum_of_the_others_and_no_more(k: int) -> None:
    city = exact_city(10, counts=[[number, 2 * number, 1, 0] for number in range(10)])
    city.run()
    colluders = set(sorted(city.keys)[:k])
    honest = sorted(set(city.keys) - colluders)
    # The own masks of all members were opened to all members.
    opened = {name: bytes.fromhex(city.diaries[name]["rounds"][city.call.id]["own"]) for name in city.keys}
    rest = {name: _take_off_known_masks(city, name, colluders, opened) for name in honest}
    total = sum(rest.values())
    assert [int(number) for number in total] == city.true_sums(honest)
    # Of any part of the honest ones, what is left is under a mask that no colluder has.
    for size in range(1, len(honest)):
        part = sum(rest[name] for name in honest[:size])
        assert not any(int(number) < 2**40 or int(number) > 2**64 - 2**40 for number in part)  # by chance 1 in 10^6
    # And the same letters fit other numbers with the same sum: what one honest centre has more, another has less.
    first, second = honest[:2]
    swapped = rest[first] + np.array([1, 0, 0, 0, 1], "<u8"), rest[second] - np.array([1, 0, 0, 0, 1], "<u8")
    assert np.array_equal(swapped[0] + swapped[1], rest[first] + rest[second])


def test_fewer_shares_than_are_needed_open_nothing_and_the_mask_key_of_a_member_is_never_shared_out() -> None:
    city = exact_city(10)
    city.run()
    own = bytes.fromhex(city.diaries["c09"]["rounds"][city.call.id]["own"])
    places = {place: masks.split(own, 7, range(1, 11))[place] for place in range(1, 7)}
    assert masks.join(places) != own
    state = city.diaries["c00"]["rounds"][city.call.id]
    shares = _read_opening(city, "c01", "c00", state)
    assert set(shares) == set(city.keys)
    # Seven such shares of c09 give its own seed, so none of them was of its mask key.
    gathered = {}
    for place, name in enumerate(sorted(city.keys)[1:8], 2):
        gathered[place] = bytes.fromhex(_read_opening(city, name, "c00", state)["c09"])
    assert masks.join(gathered) == own


def _read_opening(city: City, name: str, reader: str, state: dict[str, Any]) -> dict[str, str]:
    public = bytes.fromhex(_look(city, name, KEYS)["seal"])
    secret = masks.agree_on_secret(bytes.fromhex(state["seal"]), public)
    label = "|".join((city.call.id, "opening", name, reader))
    content = masks.open_box(secret, label, bytes.fromhex(_look(city, name, OPENING)["boxes"][reader]))
    shares: dict[str, str] = json.loads(content or b"{}")
    return shares


def test_the_box_shows_nothing_of_openings_or_numbers_to_who_is_no_member() -> None:
    city = exact_city(10, counts=[[number, 0, 0, 0] for number in range(10)])
    city.run()
    own = {diary["rounds"][city.call.id]["own"] for diary in city.diaries.values()}
    everything = "\n".join(city.box.values())
    assert not any(secret in everything for secret in own)
    label = "|".join((city.call.id, "opening", "c01", "c00"))
    box = bytes.fromhex(_look(city, "c01", OPENING)["boxes"]["c00"])
    assert masks.open_box(masks.make_seed(), label, box) is None


def test_a_centre_that_the_city_calls_missing_though_it_sent_is_not_opened() -> None:
    """The others give its mask key, and its own mask stays on."""
    city = exact_city(10)
    city.go_to(NUMBERS)
    hashes = {name: compute_hash(city.box[NUMBERS, name]) for name in city.keys if name != "c09"}
    city.box[LISTS[NUMBERS], CITY] = write_letter(
        LISTS[NUMBERS], CITY, {"round": city.call.id, "letters": hashes}, city.key.sign
    )
    assert city.step("c09") is None  # left out, so it says nothing more
    result = city.run()
    assert "c09" not in result["members"]
    mask_key = bytes.fromhex(city.diaries["c09"]["rounds"][city.call.id]["mask"])
    vector = np.frombuffer(base64.b64decode(_look(city, "c09", NUMBERS)["vector"]), "<u8")
    others = {
        name: masks.agree_on_secret(mask_key, bytes.fromhex(_look(city, name, KEYS)["mask"]))
        for name in city.keys
        if name != "c09"
    }
    without = (
        vector - add_masks([0] * len(vector), "c09", bytes(32), others, city.call.id) + masks.expand(bytes(32), len(vector))
    )
    assert [int(number) for number in without] != city.counts["c09"]


@pytest.mark.slow
def test_thirty_centres_with_five_thousand_cells_take_less_than_two_seconds_each() -> None:
    big = {"by_area": table(5000, least=0)}
    city = City(30, big, counts=[[number % 4] * 5000 for number in range(30)])
    city.publish = str
    spent = time.process_time()
    city.run(gone_before={NUMBERS: ["c03", "c04"]})
    spent = (time.process_time() - spent) / 30
    # Measured: 0.3 s, 84 kB of numbers, 12 kB of shares.
    assert spent < 2
