//! Where the numbers come from.

use crate::stats::{Summary, Times};
use serde::Serialize;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// How many flushes are timed.
const FLUSHES: usize = 300;

/// The machine, as far as it decides about the numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) load_before: String,
    /// Microseconds of one flush.
    pub(crate) flush: Summary,
}

impl Machine {
    pub(crate) fn look(folder: &Path) -> anyhow::Result<Self> {
        let of = |file: &str, key: &str| {
            let text = read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = of("/proc/meminfo", "MemTotal");
        let kib = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
        Ok(Self {
            processor: of("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib.unwrap_or_default() / (1024 * 1024),
            kernel: read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load_before: load(),
            flush: flush_micros(folder)?,
        })
    }
}

/// How busy the machine is, over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Times flushes of 4 KiB on the disk of a folder.
pub(crate) fn flush_micros(folder: &Path) -> anyhow::Result<Summary> {
    let path = folder.join("flush");
    let mut file = File::create(&path)?;
    file.write_all(&[0; 4096])?;
    file.sync_all()?;
    let mut times = Times::default();
    for _ in 0..FLUSHES {
        file.write_all(&[1; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.add(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(times.summary())
}
