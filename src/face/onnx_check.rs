//! Whether bytes are an ONNX file at all: its outermost fields are walked, and every one must lie
//! within the file. Parsers behind this may trust lengths (rten 0.27 runs for ever on a file of
//! 0xff bytes), so nothing reaches a runtime unchecked.

/// Fields of an ONNX `ModelProto` that must be there: the format version and the graph.
const IR_VERSION: u64 = 1;
const GRAPH: u64 = 7;
/// Fields of `ModelProto` end at 26; a few more leave room for later versions.
const FIELD_MAX: u64 = 40;

/// What is wrong with the file, if something is.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.is_empty() {
        return Err("the file is empty");
    }
    let (mut version, mut graph) = (false, false);
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let (field, kind) = (tag >> 3, tag & 7);
        if field == 0 || field > FIELD_MAX {
            return Err("it is no ONNX file");
        }
        version |= field == IR_VERSION && kind == 0;
        graph |= field == GRAPH && kind == 2;
        let skip = match kind {
            0 => {
                varint(&mut rest)?;
                0
            }
            1 => 8,
            2 => varint(&mut rest)?,
            5 => 4,
            _ => return Err("it is no ONNX file"),
        };
        rest = usize::try_from(skip)
            .ok()
            .and_then(|skip| rest.get(skip..))
            .ok_or("it is no ONNX file, or cut off")?;
    }
    if version && graph { Ok(()) } else { Err("it is no ONNX file: version or graph is missing") }
}

/// A protobuf number: seven bits a byte, the lowest first.
fn varint(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0_u64;
    for place in 0..10 {
        let (byte, after) = rest.split_first().ok_or("it is cut off")?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("it is no ONNX file")
}
