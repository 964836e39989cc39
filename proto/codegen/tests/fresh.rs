//! The committed code is what the contracts say.

use std::{collections::BTreeMap, ffi::OsString, fs, io, path::Path};

use channel_proto_codegen::{committed, generate};

#[test]
fn the_committed_code_matches_the_contracts() {
    let scratch = tempfile::tempdir().unwrap();
    generate(scratch.path()).unwrap();

    let (fresh, committed) = (files(scratch.path()).unwrap(), files(&committed()).unwrap());
    assert_eq!(fresh.keys().collect::<Vec<_>>(), committed.keys().collect::<Vec<_>>());
    for (name, content) in fresh {
        // Not assert_eq: nobody wants to read both files in a terminal.
        assert!(
            committed[&name] == content,
            "{} is stale: run `cargo run -p channel-proto-codegen`",
            name.display()
        );
    }
}

fn files(folder: &Path) -> io::Result<BTreeMap<OsString, Vec<u8>>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), fs::read(entry.path())?))
        })
        .collect()
}
