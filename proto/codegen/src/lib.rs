//! Generates the code of `channel-proto` from its `.proto` files.
//!
//! Neither `protoc` nor another program is needed. The result is committed, so building the product needs
//! nothing of this crate; `tests/fresh.rs` proves that the committed code is what the contracts say.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prost::Message as _;
use protox::prost_reflect::prost_types::FileDescriptorSet;

/// Name of the file that holds the compiled contracts, comments included.
pub const DESCRIPTOR_SET: &str = "descriptor.binpb";

/// Folder under which the packages of the contracts lie.
#[must_use]
pub fn proto_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Folder into which the generated code is committed.
#[must_use]
pub fn committed() -> PathBuf {
    proto_root().join("src/gen")
}

/// Compiles all contracts, with their comments and everything that they import.
///
/// # Errors
///
/// When a contract cannot be read or makes no sense.
pub fn compile() -> anyhow::Result<FileDescriptorSet> {
    let root = proto_root();
    let contracts = contracts(&root.join("channel")).context("list the contracts")?;
    Ok(protox::compile(contracts, [root])?)
}

/// Writes the generated code and the descriptor set into the folder `into`, which must exist.
///
/// # Errors
///
/// When the contracts do not compile or the folder cannot be written.
pub fn generate(into: &Path) -> anyhow::Result<()> {
    let contracts = compile()?;
    fs::write(into.join(DESCRIPTOR_SET), contracts.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(into)
        .bytes(".") // shared, not copied, on the way of webhooks, frames and files
        .compile_fds(contracts)
        .context("generate the code")
}

/// All `.proto` files below `folder`, sorted, so that every machine generates the same.
fn contracts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contracts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
