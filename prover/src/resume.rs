//! Finished shards in a directory, so that a proof can go on after an interruption.
//!
//! Files are trusted no more than any proof: a shard is reused only if it verifies from the very
//! state that the run has there.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::error::ProveError;

const MANIFEST: &str = "manifest";
/// Longest file that is read on: no shard's proof comes near it.
const MAX_BYTES: u64 = 64 << 20;

/// A directory with the shards of one run.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Opens the directory of the run that `manifest` describes, or makes it.
    pub(crate) fn open(path: &Path, manifest: &str) -> Result<Self, ProveError> {
        let directory = Self(path.to_owned());
        fs::create_dir_all(path).map_err(|error| ProveError::File { path: path.into(), error })?;
        match directory.read(MANIFEST)? {
            Some(found) if found == manifest.as_bytes() => {}
            Some(_) => return Err(ProveError::OtherRun(path.into())),
            None => directory.write(MANIFEST, manifest.as_bytes())?,
        }
        Ok(directory)
    }

    /// The bytes of a shard, if it was finished.
    pub(crate) fn shard(&self, number: u32) -> Result<Option<Vec<u8>>, ProveError> {
        self.read(&name(number))
    }

    /// Keeps a finished shard.
    pub(crate) fn keep(&self, number: u32, bytes: &[u8]) -> Result<(), ProveError> {
        self.write(&name(number), bytes)
    }

    /// The bytes of a file; of one that is too long only the first, which then fit nothing.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ProveError> {
        let path = self.0.join(name);
        let mut bytes = Vec::new();
        let read =
            fs::File::open(&path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ProveError::File { path, error }),
        }
    }

    /// Nobody ever sees half of a file: it gets its name when it is whole.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ProveError> {
        let (path, temporary) = (self.0.join(name), self.0.join(format!("{name}.tmp")));
        let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| ProveError::File { path, error })
    }
}

fn name(number: u32) -> String {
    format!("shard-{number:08}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_found_again_by_their_run_alone() {
        let path = std::env::temp_dir().join(format!("rwprove-resume-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let directory = Directory::open(&path, "one").expect("made");
        assert_eq!(directory.shard(3).expect("read"), None);
        directory.keep(3, b"proof").expect("written");
        let again = Directory::open(&path, "one").expect("opened");
        assert_eq!(again.shard(3).expect("read").as_deref(), Some(&b"proof"[..]));
        assert!(matches!(Directory::open(&path, "two"), Err(ProveError::OtherRun(_))));
        let files = fs::read_dir(&path).expect("listed").count();
        assert_eq!(files, 2, "no temporary file is left");
        // A file without end is not read to its end.
        let long = fs::File::create(path.join(name(4))).expect("made");
        long.set_len(MAX_BYTES + 9).expect("sparse");
        let read = again.shard(4).expect("read").map(|bytes| bytes.len() as u64);
        assert_eq!(read, Some(MAX_BYTES));
        fs::remove_dir_all(&path).expect("removed");
        fs::write(&path, b"").expect("a file in the way");
        assert!(matches!(Directory::open(&path, "one"), Err(ProveError::File { .. })));
        fs::remove_file(&path).expect("removed");
    }
}
