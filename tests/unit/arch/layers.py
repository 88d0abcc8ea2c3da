# SPDX-License-Identifier: BSD-3-Clause
"""Every test of this build belongs to one layer, and runs alone or not as its layer says (tools/cmake/EvsTest.cmake).

A test without a layer is run by no stage that asks for layers; one beside a test that measures time makes that one fail on a busy day.
  layers.py BUILD_DIR LAYERS LAYERS_OF_ONE_THREAD        each a list with commas, from the CMake file
  layers.py --self-test
"""
import collections
import json
import subprocess
import sys


def check(tests, layers, one_thread):
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
        alone = bool(of.get("RUN_SERIAL"))
        if alone == (mine[0] in one_thread):
            complaints.append(f"{name}: runs {'alone' if alone else 'beside others'}, unlike its layer {mine[0]}")
    return complaints, counts


def planted():
    def test(labels, serial):
        return [{"name": "t", "properties": [{"name": "LABELS", "value": labels}, {"name": "RUN_SERIAL", "value": serial}]}]
    cases = [(test(["unit"], True), None), (test(["sim", "long"], False), None), ([{"name": "bare"}], "0 layers"),
             (test(["unit", "sim"], True), "2 layers"), (test(["unti"], True), "no layer"), (test(["long"], True), "0 layers"),
             (test(["unit"], False), "beside others"), (test(["sim"], True), "alone")]
    wrong = []
    for tests, expected in cases:
        complaints, _ = check(tests, ["unit", "sim"], ["sim"])
        if expected is None and complaints or expected and not any(expected in c for c in complaints):
            wrong.append(f"{tests}: expected {expected}, found {complaints}")
    return wrong


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        result = planted()
    else:
        build, layers, one_thread = sys.argv[1:]
        said = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, check=True, text=True).stdout
        result, by_layer = check(json.loads(said)["tests"], layers.split(","), one_thread.split(","))
        print("\n".join(f"{count:4} {layer}" for layer, count in sorted(by_layer.items())))
    print("\n".join(result) or "as it should be")
    sys.exit(1 if result else 0)
