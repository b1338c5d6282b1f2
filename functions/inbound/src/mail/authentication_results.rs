//! The results of DKIM in the `Authentication-Results` field that SES writes ([RFC 8601](https://www.rfc-editor.org/rfc/rfc8601)).
//!
//! SES writes its fields above those of the sender, who can write a field of the same name. Only a field between the
//! `Received` field of SES and the first field of the sender is used. SES writes no result of ARC.

use notification_model::normalise_domain;

use super::{Field, HeaderBlock};

/// The authentication service identifier of SES.
const SES: &str = "amazonses.com";

/// The domains whose DKIM signature passes according to SES. Empty if SES's field is missing or ambiguous.
pub(super) fn ses_dkim_domains(header: &HeaderBlock<'_>) -> Vec<String> {
    let Some(field) = ses_field(header) else {
        return Vec::new();
    };
    let line = field.unfolded();
    // The field repeats the envelope sender, and a quoted local part can contain anything.
    if line.contains(['"', '\\']) {
        return Vec::new();
    }
    let mut results = line.split(';').map(str::trim);
    if results.next().is_none_or(|id| !id.eq_ignore_ascii_case(SES)) {
        return Vec::new();
    }
    results.filter_map(passed_dkim_domain).collect()
}

/// SES writes `Return-Path` and `Received` first. Nothing of the sender is above them.
fn ses_field<'a, 'b>(header: &'b HeaderBlock<'a>) -> Option<&'b Field<'a>> {
    let is_of_ses = |field: &Field<'_>| {
        let starts_with_ses = field
            .name()
            .get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case("X-SES-"));
        starts_with_ses || field.is("Received-SPF") || field.is("Authentication-Results")
    };
    let mut fields = header.fields().iter().skip_while(|field| field.is("Return-Path"));
    if !fields.next()?.is("Received") {
        return None;
    }
    let mut of_ses = fields.take_while(|field| is_of_ses(field));
    of_ses.find(|field| field.is("Authentication-Results"))
}

/// The domain in `dkim=pass header.i=@shop.example`.
fn passed_dkim_domain(result: &str) -> Option<String> {
    let mut words = result.split_whitespace();
    if !words.next()?.eq_ignore_ascii_case("dkim=pass") {
        return None;
    }
    let mut signers = words.filter_map(|word| word.strip_prefix("header.i=").or(word.strip_prefix("header.d=")));
    let signer = signers.next()?;
    let domain = signer.rsplit_once('@').map_or(signer, |(_, domain)| domain);
    (!domain.is_empty()).then(|| normalise_domain(domain))
}

#[cfg(test)]
mod tests {
    use super::ses_dkim_domains;
    use crate::mail::{HeaderBlock, Limits};

    fn domains(header: &str) -> Vec<String> {
        let mail = format!("{}\r\n\r\n", header.replace('\n', "\r\n"));
        ses_dkim_domains(&HeaderBlock::parse(mail.as_bytes(), &Limits::default()).unwrap())
    }

    const RECEIVED: &str = "Return-Path: <a@lists.example>\nReceived: from x by inbound-smtp.eu-west-1.amazonaws.com";

    #[test]
    fn the_domains_are_those_of_passed_signatures() {
        let results = "Authentication-Results: amazonses.com; spf=pass (spfCheck: domain of lists.example designates \
                       192.0.2.1 as permitted sender) client-ip=192.0.2.1; envelope-from=a@lists.example; helo=x.example;\n \
                       dkim=fail header.i=@client.example; dkim=pass header.i=@Lists.Example; dmarc=fail header.from=client.example;";
        let spf = "Received-SPF: pass";
        let header =
            format!("{RECEIVED}\nX-SES-Spam-Verdict: PASS\n{spf}\n{results}\nX-SES-RECEIPT: x\nFrom: a@b.example");
        assert_eq!(domains(&header), ["lists.example"]);
    }

    #[test]
    fn a_field_of_the_sender_is_not_used() {
        let forged = "Authentication-Results: amazonses.com; dkim=pass header.i=@lists.example";
        for header in [
            format!("{RECEIVED}\nFrom: a@b.example\n{forged}"),
            format!("{RECEIVED}\nReceived: from y\n{forged}"),
            forged.to_owned(),
            format!("{RECEIVED}\nAuthentication-Results: amazonses.com; dkim=fail header.i=@x.example\n{forged}"),
            format!("{RECEIVED}\nAuthentication-Results: other.example; dkim=pass header.i=@lists.example"),
            format!(
                "{RECEIVED}\nAuthentication-Results: amazonses.com; spf=pass envelope-from=\"; dkim=pass header.i=@lists.example\"@x.example"
            ),
        ] {
            assert_eq!(domains(&header), Vec::<String>::new(), "{header}");
        }
    }
}
