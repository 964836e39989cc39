//! A disk whose flush takes a chosen time: a library that goes before the C library and sleeps.
//!
//! It sleeps in place of flushing, so that a noisy disk does not show through. The same library goes
//! before whatever writes: the PostgreSQL server, or the product with SQLite in it.

use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r"
#include <time.h>
static int nap(void) {
    struct timespec pause = { 0, FLUSH_NANOS };
    nanosleep(&pause, 0);
    return 0;
}
int fsync(int fd) { (void)fd; return nap(); }
int fdatasync(int fd) { (void)fd; return nap(); }
";

/// Less than a millisecond, because a sleep ends about this much late.
const NANOS: u32 = 945_000;

/// Builds the library in `folder`.
pub(crate) fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let (source, library) = (folder.join("flush.c"), folder.join("flush.so"));
    std::fs::write(&source, SOURCE)?;
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", &format!("-DFLUSH_NANOS={NANOS}"), "-o"]);
    let built = command.arg(&library).arg(&source).output();
    let built = built.context("a C compiler is needed; install the package `gcc`")?;
    ensure!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
    Ok(library)
}
