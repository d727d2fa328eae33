//! Files: read whole, and written so that nobody sees half of one.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::error::CliError;

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|error| CliError::Read { path: path.into(), error })
}

/// Writes a file under a temporary name beside it, then renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write_then_rename(&temporary, path, bytes);
    if written.is_err() {
        // It may not exist; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| CliError::Write { path: path.into(), error })
}

fn write_then_rename(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::{read, write};

    #[test]
    fn replaces_a_file_and_leaves_no_other() {
        let dir = env::temp_dir().join(format!("rwprove-files-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("proof");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert_eq!(read(&dir.join("none")).unwrap_err().status(), 3);
        assert_eq!(write(&dir.join("none/proof"), b"").unwrap_err().status(), 3);
        fs::remove_dir_all(&dir).unwrap();
    }
}
