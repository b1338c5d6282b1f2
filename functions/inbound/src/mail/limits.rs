//! How much of a mail is read.

/// The largest mail, header and report that are processed. Mail beyond a limit gets an error, never a partial result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of the header block in octets. Typical header blocks are smaller than 100 KB; SES stores mail of up to
    /// 40 MB.
    pub header_bytes: usize,
    /// Maximum number of header fields.
    pub header_fields: usize,
    /// Maximum number of MIME parts read of a report. A report has three.
    pub parts: usize,
    /// Maximum size of a report in octets. A report may return the whole message it is about.
    pub report_bytes: usize,
    /// Maximum size of a forward in octets, including the rewritten header. SES API v2 accepts 40 MB.
    pub forward_bytes: usize,
    /// Maximum size of a mail that is parsed for a program, in octets. Parsing takes about three times its size in memory.
    pub parsed_bytes: usize,
    /// Maximum number of MIME parts of such a mail.
    pub parsed_parts: usize,
    /// Maximum number of earlier forwards by Postroom.
    pub forwards: usize,
    /// Maximum number of `Received` fields. The default is that of Postfix (`hopcount_limit`).
    pub received_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 512 * 1024,
            header_fields: 1000,
            parts: 20,
            report_bytes: 10 * 1024 * 1024,
            forward_bytes: 40_000_000,
            parsed_bytes: 40_000_000,
            parsed_parts: 200,
            forwards: 4,
            received_fields: 50,
        }
    }
}
