// SPDX-License-Identifier: BSD-3-Clause
// tests/prelude.cc - nothing: the program whose compilation makes the precompiled header of the tests (tests/CMakeLists.txt).
int main() {}
