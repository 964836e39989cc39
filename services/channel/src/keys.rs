//! Secrets that the program makes for itself and keeps beside its data, for nobody else to read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use channel_runtime::config::Secret;
use rand::RngCore;

/// The name of the file with the secret that tokens are signed with.
pub(crate) const AUTH: &str = "auth.key";
/// The name of the file with the secret that webhooks carry.
pub(crate) const WEBHOOK: &str = "webhook.key";

/// A random secret: 32 bytes in hexadecimal.
pub(crate) fn random() -> Secret {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// Reads a secret of this folder; makes it first if there is none.
pub(crate) fn kept(folder: &Path, name: &str) -> anyhow::Result<Secret> {
    private_folder(folder)?;
    let path = folder.join(name);
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    write_private(&path, random().expose(), Existing::Keep)?;
    // Read again: another process may have been faster.
    read(&path)?.with_context(|| format!("{} is empty; delete it", path.display()))
}

/// Makes a folder that only its owner can enter; one that is there stays as it is.
pub(crate) fn private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Reads a secret file; none when there is no such file or it is empty.
pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Secret>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Secret::new)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// What to do with a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Writes a file that only its owner can read, all of it or nothing.
pub(crate) fn write_private(path: &Path, text: &str, existing: Existing) -> anyhow::Result<()> {
    let beside = beside(path);
    let write = || -> io::Result<()> {
        let mut file = create_private(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match existing {
            Existing::Replace => fs::rename(&beside, path),
            Existing::Keep => match fs::hard_link(&beside, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => fs::remove_file(&beside),
            },
        }
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_kept_secret_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = kept(&data, AUTH).unwrap();
        assert_eq!(first.expose().len(), 64);
        assert_eq!(kept(&data, AUTH).unwrap().expose(), first.expose());
        assert_ne!(kept(&data, WEBHOOK).unwrap().expose(), first.expose());
        #[cfg(unix)]
        assert_eq!((mode(&data), mode(&data.join(AUTH))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&data).unwrap().count(), 2, "nothing is left over");
    }

    #[test]
    fn a_replaced_file_is_private_whatever_it_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "old").unwrap();
        write_private(&path, "new", Existing::Replace).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().expose(), "new");
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn an_empty_file_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(AUTH);
        fs::write(&path, " \n").unwrap();
        assert!(read(&path).unwrap().is_none());
        assert!(read(&folder.path().join("none")).unwrap().is_none());
    }
}
