//! CSV as spreadsheets save it: UTF-8 with or without a mark, or GB18030 as Excel does in China;
//! RFC 4180 quoting. Bounded in bytes and rows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Encoding, GB18030, UTF_8};

use super::grid::Grid;

/// Largest file.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most rows: an institution's year of lessons, several times over.
pub const ROWS_MAX: usize = 20_000;
/// Most cells of a row.
const CELLS_MAX: usize = 100;

/// A table could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// It is too large.
    #[error("it has more than {FILE_BYTES_MAX} bytes or {ROWS_MAX} rows")]
    TooLarge,
    /// It is no text.
    #[error("it is neither UTF-8 nor GB18030 text")]
    Encoding,
    /// It has nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is no CSV.
    #[error("it is no CSV")]
    Csv(#[from] csv::Error),
}

/// Reads the file at `path`.
pub fn read(path: &Path) -> Result<Grid, GridError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(GridError::TooLarge);
    }
    parse(&bytes)
}

/// Reads the bytes of a file.
pub fn parse(bytes: &[u8]) -> Result<Grid, GridError> {
    let text = decode(bytes)?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut rows, mut header) = (Vec::new(), None);
    let (mut line, mut counted) = (1_u64, 0_usize);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        // The reader skips blank lines; a person who counts rows does not.
        let at = record.position().map_or(0, csv::Position::byte);
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
        let newlines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let blank = text.as_bytes()[at..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        line += newlines(&text.as_bytes()[counted..at + blank]);
        counted = at + blank;
        // Programs that join files leave marks inside: nobody sees them, and they are no text.
        let cells = record.iter().take(CELLS_MAX).map(|cell| cell.trim_start_matches('\u{feff}'));
        let cells: Vec<String> = cells.map(str::to_owned).collect();
        if header.is_none() {
            header = Some(cells);
        } else if cells.iter().any(|cell| !cell.trim().is_empty()) {
            if rows.len() == ROWS_MAX {
                return Err(GridError::TooLarge);
            }
            rows.push((line, cells));
        }
    }
    Ok(Grid { header: header.ok_or(GridError::Empty)?, rows })
}

fn decode(bytes: &[u8]) -> Result<String, GridError> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let bytes = &bytes[mark..];
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let decoded = match decoded {
        None if mark == 0 => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        decoded => decoded,
    };
    let text = decoded.ok_or(GridError::Encoding)?;
    // Text has no zero bytes; a workbook or a picture does.
    if text.contains('\0') { Err(GridError::Encoding) } else { Ok(text.into_owned()) }
}

/// Rows as CSV, with the mark that tells Excel that it is UTF-8.
pub fn write(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(b"\xef\xbb\xbf".to_vec());
    for row in rows {
        writer.write_record(row).expect("rows of one table are equally long, and memory takes all");
    }
    writer.into_inner().expect("memory takes all")
}
