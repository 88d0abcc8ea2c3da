// SPDX-License-Identifier: BSD-3-Clause
// tests/support/counted_new.h - how often operator new is asked: for a program of one source, which it replaces the operators of.
#pragma once

#include <cstdlib>
#include <new>

namespace {
size_t g_allocations = 0;
}

[[gnu::noinline]] void* operator new(size_t bytes) {
  ++g_allocations;
  void* at = std::malloc(bytes);
  if (at == nullptr) throw std::bad_alloc();
  return at;
}
[[gnu::noinline]] void operator delete(void* at) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete(void* at, size_t) noexcept { std::free(at); }
