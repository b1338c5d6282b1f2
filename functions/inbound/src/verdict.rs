//! What SES's verdicts mean for a mail.
