# SPDX-License-Identifier: BSD-3-Clause
"""Every test of this build belongs to one layer, and runs alone, in turn or beside others as its layer says (tools/cmake/EvsTest.cmake).

A test without a layer is run by no stage that asks for layers; one beside a test that measures time makes that one fail on a busy day.
  layers.py BUILD_DIR LAYERS BESIDE IN_TURN        each a list of layers with commas, from the CMake file
  layers.py --self-test
"""
import collections
import json
import subprocess
import sys


def check(tests, layers, beside, in_turn):
    complaints, counts = [], collections.Counter()
    for test in tests:
        name, of = test["name"], {p["name"]: p["value"] for p in test.get("properties", [])}
        labels = of.get("LABELS", [])
        mine = [label for label in labels if label in layers]
        for label in set(labels) - set(layers) - {"long"}:
            complaints.append(f"{name}: '{label}' is no layer")
        if len(mine) != 1:
            complaints.append(f"{name}: {len(mine)} layers, not one; evs_add_test() adds a test")
            continue
        counts[mine[0] + (", long" if "long" in labels else "")] += 1
        runs = "alone" if of.get("RUN_SERIAL") else "in turn" if of.get("RESOURCE_LOCK") else "beside others"
        if runs != ("beside others" if mine[0] in beside else "in turn" if mine[0] in in_turn else "alone"):
            complaints.append(f"{name}: runs {runs}, unlike its layer {mine[0]}")
    return complaints, counts


def planted():
    def test(labels, serial, lock=()):
        return [{"name": "t", "properties": [{"name": "LABELS", "value": labels}, {"name": "RUN_SERIAL", "value": serial}, {"name": "RESOURCE_LOCK", "value": lock}]}]
    cases = [(test(["bench"], True), None), (test(["sim", "long"], False), None), (test(["e2e"], False, ["in_turn"]), None),
             ([{"name": "bare"}], "0 layers"), (test(["bench", "sim"], True), "2 layers"), (test(["bnech"], True), "no layer"),
             (test(["long"], True), "0 layers"), (test(["bench"], False), "beside others"), (test(["sim"], True), "alone"),
             (test(["e2e"], False), "beside others"), (test(["e2e"], True), "alone"), (test(["sim"], False, ["in_turn"]), "in turn")]
    wrong = []
    for tests, expected in cases:
        complaints, _ = check(tests, ["bench", "sim", "e2e"], ["sim"], ["e2e"])
        if expected is None and complaints or expected and not any(expected in c for c in complaints):
            wrong.append(f"{tests}: expected {expected}, found {complaints}")
    return wrong


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        result = planted()
    else:
        build, layers, beside, in_turn = sys.argv[1:]
        said = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, check=True, text=True).stdout
        result, by_layer = check(json.loads(said)["tests"], layers.split(","), beside.split(","), in_turn.split(","))
        print("\n".join(f"{count:4} {layer}" for layer, count in sorted(by_layer.items())))
    print("\n".join(result) or "as it should be")
    sys.exit(1 if result else 0)
