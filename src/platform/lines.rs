//! A small file of sealed statements, one a line, in hexadecimal digits. Its lines prove themselves, so
//! one that cannot be read is passed over; whoever reads it checks what the others say.

use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;

use super::durable::{self, Access};

/// Longer files are refused before they are read: 256 statements of 1,024 bytes have half of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The statements of a file, in its order; none if there is no file.
pub fn read(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
        Ok(found) if found.len() > FILE_BYTES_MAX => {
            let why = format!("{} has more than {FILE_BYTES_MAX} bytes", path.display());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path)?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.filter_map(|line| HEXLOWER.decode(line).ok()).collect())
}

/// Puts a statement behind those of a file; a crash leaves the file as it was, or with it.
pub fn append_durably(path: &Path, statement: &[u8]) -> io::Result<()> {
    let mut statements = read(path)?;
    if statements.iter().any(|known| known == statement) {
        return Ok(());
    }
    statements.push(statement.to_vec());
    let text: String =
        statements.iter().flat_map(|bytes| [HEXLOWER.encode(bytes), "\n".into()]).collect();
    durable::write(path, text.as_bytes(), Access::Everyone).map_err(|error| error.io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_read_once_and_a_spoilt_line_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        assert!(read(&path).unwrap().is_empty());
        for statement in [b"one".as_slice(), b"two", b"one"] {
            append_durably(&path, statement).unwrap();
        }
        assert_eq!(read(&path).unwrap(), [b"one".to_vec(), b"two".to_vec()]);
        let text = std::fs::read_to_string(&path).unwrap();
        let spoilt = format!("zz\n{text}");
        durable::write(&path, spoilt.as_bytes(), Access::Everyone).unwrap();
        assert_eq!(read(&path).unwrap(), [b"one".to_vec(), b"two".to_vec()]);
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("more than"));
    }
}
