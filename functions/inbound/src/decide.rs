//! What happens to one mail, from what SES, its header and its mailboxes say. Pure.
