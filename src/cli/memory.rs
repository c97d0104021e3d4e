//! How the C library keeps memory that was given back.

/// Large pieces go back to the system at once. The GNU library learns not to: once a block of the reader was freed, columns
/// of up to 32 MB come from a heap that seldom shrinks. Of a plain trace of 572 MB, 83 MB were held at the most instead of
/// 54, of the packed one 54 instead of 50; the time is the same.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "measured; sets a number before the first thread starts, and no pointer is passed")]
pub(super) fn give_back_large_pieces() {
    /// Twice what the library begins with; set by hand, it stays.
    const LARGE: libc::c_int = 256 * 1024;
    // SAFETY: `mallopt` takes two integers and may be called at any time; a value that it refuses changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Others do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back_large_pieces() {}
