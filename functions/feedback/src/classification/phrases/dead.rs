//! The address or its domain is dead. Most such wordings are combinations of [`vocabulary`](super::super::vocabulary);
//! these are sentences without a noun for the recipient, or idioms.

use super::super::rank::Rank::*;
use super::super::reason::BounceReason::*;
use super::super::reason::Fault::*;
use super::group::Group;

#[rustfmt::skip]
pub(super) const PHRASES: &[Group] = &[
    (Named, Address, UserUnknown, &[
        "no mailbox", "no mail box", "no account", "no user", "no one here", "no one at this address", "nobody here",
        "no one with", "incorrectly addressed", "nobody with that name", "nobody by that name", "no mail-box",
        "no person", "nosuchuser", "userunknown", "invalid-recipient", "bad-recipient", "recipnotfound",
        "recipientnotfound", "unknown-recipient", "does not have an account", "doesn't have an account",
        "doesn't have a yahoo.com account", "user doesn't have a", "does not have a mailbox", "has no mailbox",
        "has no account", "have no mailbox", "no longer has an account", "does not have a final email delivery point",
        "not a registered gateway user", "blank mailhost", "not our customer", "not a customer of ours",
        "not a member of this organi", "not in recipient list", "not in our recipient", "not in the recipient",
        "not in my validrcptto", "in my badrcptto", "not in our directory", "not in the directory",
        "not present in directory", "not listed in domino directory", "not listed in public name & address book",
        "not in recipient table", "not in virtual", "unknown in virtual", "unknown in local recipient",
        "unknown in relay recipient", "bad address", "bad recipient", "bad mailbox", "bad user", "bad rcpt",
        "bad destination", "user (search) unknown", "addressee unknown", "unknown or illegal", "illegal alias",
        "badrcptto", "not our user", "not one of our users", "no valid recipient address", "recipient is not exist",
        "rcpt verify failed", "recipient verify failed", "callout verification failed", "missing home directory",
        "handle mail for that user", "no recipient by", "not found in ldap", "not found in directory",
        "not found in the directory", "recipient verification failed", "recipient callout", "no longer accepts mail",
        "cannot be verified. please check all recipients", "misspelled", "check for typos",
        "double-checking the recipient", "not found by smtp address lookup", "address couldn't be found",
        "name is not recognized", "name not recognized", "by that name here", "mailbox is marked as invalid",
        "marked as invalid", "blacklisted recipient address", "tidak ditemukan", "tidak dikenal", "nema korisnika",
        "ismeretlen", "neznamy uzivatel", "tuntematon",
    ]),
    (Named, Address, HasMoved, &[
        "no longer works", "no longer with the company", "no longer with us", "no longer employed",
        "has left the company", "left the company", "has left our company", "no longer an employee",
        "no longer at this company", "has moved", "has been moved", "moved to a new address", "address has changed",
        "address changed", "has a new address", "has been replaced by", "new e-mail address is", "new email address is",
        "recipient no longer on server", "ne travaille plus", "nicht mehr im unternehmen", "nicht mehr fur uns tatig",
        "ya no trabaja", "non lavora piu", "nao trabalha mais", "owner has changed",
    ]),
    (Named, Address, Suspended, &[
        "account blocked", "account is blocked", "account has been blocked", "account locked", "account is locked",
        "account has been locked", "user locked", "user is locked", "mailbox locked", "mailbox is locked",
        "mailbox blocked", "mailbox is blocked", "mailbox has been blocked", "user blocked", "user is blocked",
        "no longer accepting mail", "not accepting mail for this account any", "no longer in service",
        "out of service mailbox", "disabled or discontinued", "disabled recipient",
        "recipient address rejected: inactive", "recipient address rejected: disabled", "recipient disabled",
        "recipient address rejected: expired", "mailbox is frozen", "mailbox frozen", "frozen mailbox", "user frozen",
        "due to extended inactivity", "due to inactivity", "for lack of use", "por falta de uso", "per inutilizzo",
        "per inattivita", "por inactividad", "por inatividade", "pour inactivite",
        "not currently being accepted for this mailbox", "expirado por falta", "not been used for", "has not logged in",
        "z powodu nieaktywno", "wegen inaktivitat", "wegen inaktivitaet", "unused mailbox", "abandoned mailbox",
        "dormant", "account hold", "account on hold", "konto zostalo zablokowane", "konto zablokowane",
        "konto gesperrt", "postfach gesperrt", "benutzer gesperrt", "compte bloque", "cuenta bloqueada",
        "conta bloqueada", "casella bloccata", "account bloccato",
    ]),
    (Named, Address, NotAccept, &[
        "null mx", "nullmx", "does not accept mail", "does not accept email", "does not accept e-mail",
        "doesn't accept mail", "doesn't accept email", "does not receive mail", "does not receive email",
        "no longer accepts email", "not accepting any mail", "no mail-enabled subscriptions", "receiving disabled",
        "receiving is disabled", "domain accepts no mail",
    ]),
    (Named, Address, HostUnknown, &[
        "bad destination host", "bad destination system", "bad destination domain", "nxdomain", "no mx found",
        "no mx record", "no mx for", "no mx or a record", "no a or mx", "no valid mx", "find an mx or a record",
        "find a mail server", "domain name not found", "host or domain name not found", "any host named",
        "unrouteable address", "unroutable address", "unrouteable mail domain", "unroutable domain",
        "unrouteable domain", "unrouteable", "nonexistent domain", "non-existent domain", "illegal host/domain",
        "dns hard error", "no address associated with", "all relevant mx records point to non-existent",
        "domain must exist", "name or service not known", "no such domain", "domain has expired", "not hosted here",
        "not hosted on this server", "does not handle mail for", "not local domain", "domain isn't hosted",
        "domain is not hosted", "domain is not local", "no dns information was found",
    ]),
    (Vague, Unclear, UserUnknown, &[
        "mailbox unavailable", "mailbox is unavailable", "mailbox not available", "mailbox is not available",
        "unavailable mailbox", "does not like recipient", "no valid recipients", "user unavailable",
        "recipient unavailable", "account not available", "account is unavailable", "account unavailable",
    ]),
    (Refusal, Unclear, UserUnknown, &[
        "recipient address rejected", "recipient rejected", "recipient refused", "recipient address refused",
        "recipient denied", "recipient not allowed", "recipient not accepted", "rejected recipient", "address rejected",
        "all recipients rejected", "all recipient addresses rejected", "destinataire refuse", "destinatario rechazado",
        "empfanger abgelehnt", "empfaenger abgelehnt", "destinatario rifiutato",
    ]),
];
