//! Processor time and memory of processes, from `/proc`.

use crate::stats::float;
use anyhow::Context as _;
use std::path::Path;

/// What `/proc` counts in: a hundredth of a second on every Linux that runs this.
const TICK_MILLIS: f64 = 10.0;

/// Milliseconds of processor time that a process has used, by itself and its ended children.
pub(crate) fn of_process(id: u32) -> anyhow::Result<f64> {
    let fields = fields(id)?;
    let ticks: u64 = fields.ticks.iter().sum();
    Ok(f64::from(u32::try_from(ticks)?) * TICK_MILLIS)
}

/// The same of a process and all its children, such as a PostgreSQL server.
pub(crate) fn of_family(parent: u32) -> anyhow::Result<f64> {
    let mut sum = of_process(parent)?;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has just ended is counted by its parent.
        if fields(id).is_ok_and(|fields| fields.parent == parent) {
            sum += of_process(id).unwrap_or_default();
        }
    }
    Ok(sum)
}

struct Fields {
    parent: u32,
    /// utime, stime, cutime, cstime.
    ticks: [u64; 4],
}

fn fields(id: u32) -> anyhow::Result<Fields> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name before may hold anything, blanks and brackets too.
    let (_, rest) = text.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |at: usize| fields.get(at).context("stat is too short");
    let mut ticks = [0; 4];
    for (at, ticks) in ticks.iter_mut().enumerate() {
        *ticks = field(11 + at)?.parse()?;
    }
    Ok(Fields { parent: field(1)?.parse()?, ticks })
}

/// Bytes of memory that are a process's own or shared, and resident.
pub(crate) fn resident(id: u32) -> anyhow::Result<u64> {
    memory(id, "VmRSS:")
}

/// Of these the bytes that no file is behind, which the system could not drop.
pub(crate) fn allocated(id: u32) -> anyhow::Result<u64> {
    memory(id, "RssAnon:")
}

/// The same in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    float(usize::try_from(bytes / 1024).unwrap_or(0)) / 1024.0
}

fn memory(id: u32, which: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("no such line")?;
    Ok(kib.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let id = std::process::id();
        let before = of_process(id).unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_millis(50);
        while std::time::Instant::now() < end {
            std::hint::spin_loop();
        }
        assert!(of_process(id).unwrap() > before);
        assert!(resident(id).unwrap() > 1_000_000);
    }
}
