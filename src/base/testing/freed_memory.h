// Sanitizers keep what was freed for a while, to see who uses it still: resident memory then says nothing of a program.
#pragma once

namespace tidemark::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kFreedMemoryIsKept = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kFreedMemoryIsKept = true;
#else
inline constexpr bool kFreedMemoryIsKept = false;
#endif
#else
inline constexpr bool kFreedMemoryIsKept = false;
#endif

}  // namespace tidemark::testing
