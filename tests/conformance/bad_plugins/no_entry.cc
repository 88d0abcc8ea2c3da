// SPDX-License-Identifier: BSD-3-Clause
// A module that is no plugin: it exports no entry.
int unrelated() {
  return 1;
}
