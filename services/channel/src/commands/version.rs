//! `channel version`.

use crate::output::Output;

pub(crate) fn run(mut out: Output) -> anyhow::Result<()> {
    Ok(out.line(concat!("channel ", env!("CARGO_PKG_VERSION")))?)
}
