use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};

/// Bytes that are decoded at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Stands for what has no meaning in the encoding: no UTF-8 has it, so that the cell is refused by whoever reads it.
const NO_TEXT: u8 = 0xff;

/// A text in some encoding, read as UTF-8.
pub(super) struct Decoding<R> {
    source: R,
    decoder: Decoder,
    input: Vec<u8>,
    input_from: usize,
    at_end: bool,
    finished: bool,
    output: Vec<u8>,
    output_from: usize,
}

impl<R: Read> Decoding<R> {
    pub(super) fn new(source: R, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            input: Vec::new(),
            input_from: 0,
            at_end: false,
            finished: false,
            output: Vec::new(),
            output_from: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.input_from == self.input.len() && !self.at_end {
            self.input.resize(CHUNK_BYTES, 0);
            let read = loop {
                match self.source.read(&mut self.input) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            self.input.truncate(read);
            self.input_from = 0;
            self.at_end = read == 0;
        }
        self.output.resize(CHUNK_BYTES, 0);
        self.output_from = 0;
        let input = self.input.get(self.input_from..).unwrap_or_default();
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(input, &mut self.output, self.at_end);
        self.input_from += read;
        self.output.truncate(written);
        match result {
            DecoderResult::Malformed(..) => self.output.push(NO_TEXT),
            DecoderResult::InputEmpty => self.finished = self.at_end,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> BufRead for Decoding<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.output_from == self.output.len() && !self.finished {
            self.refill()?;
        }
        Ok(self.output.get(self.output_from..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.output_from = (self.output_from + bytes).min(self.output.len());
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// Writes text in an encoding; characters that it lacks become `?`.
pub(crate) fn encode(encoding: &'static Encoding, text: &str, into: &mut Vec<u8>) {
    let mut encoder = encoding.new_encoder();
    let mut text = text;
    loop {
        let from = into.len();
        let room = encoder.max_buffer_length_from_utf8_if_no_unmappables(text.len()).unwrap_or(CHUNK_BYTES);
        into.resize(from + room.max(16), 0);
        let (result, read, written, _) =
            encoder.encode_from_utf8(text, into.get_mut(from..).unwrap_or_default(), true);
        into.truncate(from + written);
        text = text.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GB18030, UTF_16LE};

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Vec<u8> {
        let mut text = Vec::new();
        Decoding::new(bytes, encoding).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn other_encodings_are_read_as_utf_8() {
        let mut gb = Vec::new();
        encode(GB18030, "店铺名称,金额\n𠮷野家,1", &mut gb);
        assert_eq!(decoded(&gb, GB18030), "店铺名称,金额\n𠮷野家,1".as_bytes());
        let utf_16: Vec<u8> = "\u{feff}客户\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf_16, UTF_16LE), "客户\n".as_bytes());
        let long: String = "客户".repeat(100_000);
        let mut gb = Vec::new();
        encode(GB18030, &long, &mut gb);
        assert_eq!(decoded(&gb, GB18030), long.as_bytes());
    }

    #[test]
    fn what_is_no_text_stays_none() {
        assert_eq!(decoded(b"a\xff,b\n", GB18030), b"a\xff,b\n");
        assert!(str::from_utf8(&decoded(b"a\x81", GB18030)).is_err(), "a character that is cut off");
    }
}
