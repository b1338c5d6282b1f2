//! Nouns and predicates that servers combine: `mailbox` and `does not exist`. [`wording`](super::wording) combines
//! them, so a word is listed once and not in every combination.
//!
//! Spelling as in [`phrases`](super::phrases). A word matches only as a whole word, also in the plural; with `*` at its
//! end it is a stem, whatever follows.

/// Whom or what a noun stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    /// The recipient or its mailbox.
    Recipient,
    /// An email address or the word for it: the recipient's, unless another noun beside it says otherwise.
    Address,
    /// A domain or host name.
    Domain,
    /// Space for mail.
    Storage,
    /// The sender: its address, domain, server or connection.
    Sender,
    /// A server: the sender's.
    Host,
    /// An IP address, which may also be the one of the server that replies.
    Ip,
    /// SPF, DKIM, DMARC.
    Authentication,
    /// `email`, which is said of an address and of a message.
    Email,
    /// The message or a part of it.
    Message,
    /// Anything else that a predicate may be about.
    Other,
}

/// What is said about a noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predicate {
    /// It does not exist.
    Absent,
    /// It is no longer used.
    Disabled,
    /// It is full.
    Full,
    /// It was exceeded; said of storage.
    Exceeded,
    /// It was refused or is on a list.
    Blocked,
    /// A check failed.
    Failed,
}

/// Where the noun stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Before the predicate: `mailbox does not exist`.
    NounFirst,
    /// After it: `no such mailbox`.
    NounLast,
    /// Either: `unknown user`, `user unknown`.
    Either,
}

#[rustfmt::skip]
pub(super) const NOUNS: &[(Noun, &[&str])] = &[
    (Noun::Recipient, &[
        "user", "users", "username", "user name", "mail-box", "userid", "user id", "recipient", "rcpt", "addressee",
        "mailbox", "mail box", "mailboxes", "inbox", "account", "accounts", "alias", "person", "persona", "mail drop",
        "maildrop", "login", "mailfolder", "mail folder", "maildir", "mailbox name", "local part", "local-part",
        "localpart", "employee", "member", "customer", "subscriber", "emailbox", "mail account", "mailname", "user's",
        "recipient's",
        // Spanish, Portuguese, Italian, French
        "usuario", "destinatario", "destinataire", "destin.", "buzon", "casilla", "cuenta", "conta", "caixa postal",
        "caixa de correio", "caixa de entrada", "caixa", "casella", "utente", "utilisateur", "boite aux lettres",
        "boite", "compte", "messagerie",
        // German, Dutch, Nordic
        "benutzer*", "empfanger*", "empfaenger*", "adressat*", "emailadresse", "mailadresse", "empf?nger*", "postfach*",
        "konto", "mailkonto", "nutzer", "teilnehmer", "gebruiker", "ontvanger", "postvak", "anvandaren", "anvandare",
        "mottagaren", "mottagare", "brugeren", "bruger", "modtager", "modtageren", "mottakeren", "brukeren", "kontoen",
        // Slavic, Turkish, others
        "uzytkownik", "uzytkownika", "odbiorca", "odbiorcy", "skrzynka", "skrzynki", "konta", "uzivatel", "prijemce",
        "schranka", "pouzivateľ", "felhasznalo", "cimzett", "postafiok", "utilizator", "utilizatorul", "destinatarul",
        "пользователь", "пользователя", "получатель", "получателя", "ящик", "ящика", "аккаунт", "учетная запись",
        "користувач", "скринька", "абонент*", "адресат*", "kullanici", "alici", "posta kutusu", "pengguna", "penerima",
        // Japanese, Chinese, Korean
        "ユーザ", "ユーザー", "宛先", "メールボックス", "受信者", "アカウント", "收件人", "用户", "用戶", "邮箱", "郵箱", "信箱", "帐号", "账号", "帳號", "사용자",
        "수신자", "받는 사람", "메일함", "편지함", "계정",
    ]),
    (Noun::Address, &[
        "@", "address", "addresses", "email address", "mailaddress", "e-mail address", "mail address", "e-mail",
        "indirizzo", "adresse", "e-mail-adresse", "mailadresse", "direccion", "direcao", "endereco", "adres",
        "e-mailadres", "adressen", "adresu", "adresa", "адрес", "адреса", "メールアドレス", "アドレス", "地址", "주소", "alamat",
    ]),
    (Noun::Domain, &[
        "domain", "domains", "domain name", "host", "mail host", "mail domain", "dominio", "domaine", "domane",
        "domein", "domena", "домен", "ドメイン", "域名", "도메인", "destination host",
    ]),
    (Noun::Storage, &[
        "quota", "storage", "free space", "allowed storage", "room", "platz", "place", "plads", "plats", "ruimte",
        "miejsca", "места", "disk space", "space", "storage limit", "mailbox size", "storage space", "disk usage",
        "cuota", "cota", "speicherplatz", "speichervolumen", "speicher", "kontingent", "espacio", "spazio", "espaco",
        "espace", "limit of mailbox", "容量", "квота", "место", "mailbox limit", "mailbox storage", "mail storage",
        "email quota", "storage allocation", "space limit", "disk limit", "pojemnosc", "miejsce",
    ]),
    (Noun::Sender, &[
        "sender", "senders", "emetteur", "purported", "sender's", "mail from", "envelope from", "envelope sender",
        "return-path", "your domain", "your account", "your address", "your email address", "your e-mail address",
        "your email", "sending domain", "originator", "bounce address", "originating", "sending from", "send from",
        "sent from", "from header", "sender address", "reply-to", "your mailbox", "originating domain", "remitente",
        "absender", "expediteur", "mittente", "remetente",
    ]),
    (Noun::Ip, &["#", "ip", "ip address", "ips"]),
    (Noun::Host, &[
        "helo", "ehlo", "client", "client host", "relay host", "your host", "your server", "your ip", "your network",
        "your mail server", "your mailserver", "your mta", "your provider", "your isp", "sending server",
        "sending host", "sending mta", "sending ip", "subnet", "netblock", "adresse ip", "direccion ip", "ip-adresse",
        "ipアドレス", "endereco ip", "indirizzo ip", "ip адрес", "ip-адрес", "ip地址",
    ]),
    (Noun::Authentication, &["spf", "dkim", "dmarc", "arc", "spf record", "dkim signature"]),
    (Noun::Email, &["email", "emails"]),
    (Noun::Message, &[
        "message", "messages", "mail", "mails", "content", "body", "header", "headers", "attachment", "attachments",
        "subject", "message-id", "mensaje", "nachricht", "messaggio", "mensagem", "письмо", "сообщение",
    ]),
    (Noun::Other, &[
        "command", "parameter", "certificate", "record", "key", "file", "directory", "ptr", "reverse dns", "rdns",
        "password", "host name", "hostname", "mx", "mx record", "credentials", "license", "error", "transport",
        "service", "program", "reason", "response", "url", "link", "policy", "route", "process", "entry", "signature",
        "date", "argument", "encoding", "character", "characters", "authentication", "tls", "list", "mailer", "server",
        "mail server", "network", "connection", "connections", "mta", "relay", "token", "operation", "parameters",
        "arguments", "session", "data", "value",
    ]),
];

#[rustfmt::skip]
pub(super) const PREDICATES: &[(Predicate, Side, &[&str])] = &[
    (Predicate::Absent, Side::NounLast, &[
        "no such", "there is no", "there's no", "there are no", "no valid", "not a valid", "not a known",
        "not an active", "not a", "not an existing", "not a legal", "not a local", "not a registered", "is not an",
        "isn't a valid", "isn't a", "unable to find", "unable to locate", "cannot locate", "could not locate",
        "cannot find", "can't find", "can't accept", "don't have this", "don't have a", "don't have that",
        "do not have a", "do not know", "don't know", "could not find", "couldn't find", "did not find", "no local",
        "no known", "no matching", "no existing", "does not have an", "doesn't have an", "does not have a",
        "doesn't have a", "no existe el", "no existe la", "no existe ese", "pas de", "aucun", "aucune", "kein", "keine",
        "kein gultiger", "keinen", "nessun", "nessuna", "nenhum", "nenhuma", "ningun", "nie ma takiego", "nie ma",
        "brak", "takiego", "takie", "geen", "ingen", "inget", "такого", "такой", "нет такого", "boyle bir",
        "unbekannter", "unbekannte", "ungultiger", "ungultige", "ungueltige", "ungueltiger", "onbekende", "nieznany",
        "nieznana", "neznamy", "okand", "ukendt", "ukjent", "неизвестный", "несуществующий", "无此", "没有此", "查无此", "不存在的",
        "존재하지 않는", "invalid final delivery", "illegal", "undeliverable", "undefined", "unresolvable", "nonexisting",
        "non-existing", "no active", "wrong",
    ]),
    (Predicate::Absent, Side::Either, &[
        "unknown", "invalid", "nonexistent", "non-existent", "non existent", "inexistent", "not found", "inexistente",
        "inexistante", "inexistant", "inesistente", "non esistente", "desconocido", "desconocida", "desconhecido",
        "desconhecida", "inconnu", "inconnue", "sconosciuto", "sconosciuta", "unbekannt", "onbekend", "unrecognized",
        "unrecognised", "unregistered", "errato", "errata", "erroneo", "erronea", "incorrecto", "incorrecta",
        "incorrect", "not exists", "no existe", "nao existe", "non esiste", "n'existe pas", "existiert nicht",
        "nie istnieje", "не существует", "не найден*", "no encontrado", "no encontrada",
    ]),
    (Predicate::Absent, Side::NounFirst, &[
        "does not exist", "doesn't exist", "do not exist", "don't exist", "did not exist", "not exist", "doesnt exist",
        "no longer exists", "no longer exist", "does not exists", "doesn't exists", "did not match", "does not exit",
        "dose not exist", "ceased to exist", "never existed", "not existing", "not exsist", "has not been found",
        "could not be found", "couldn't be found", "cannot be found", "can't be found", "can not be found",
        "was not found", "wasn't found", "is not found", "not be located", "unable to be found", "not known",
        "isn't known", "is not known", "unknown to", "not recognized", "not recognised", "isn't recognized",
        "isn't recognised", "is invalid", "is not valid", "isn't valid", "not valid", "no longer valid", "not assigned",
        "not allocated", "is illegal", "not registered", "isn't registered", "not listed", "not present", "not defined",
        "not available here", "no longer available", "not in use", "no longer in use", "no longer used",
        "is no longer here", "not local", "is not local", "not here", "not valid here", "has no mailbox", "no here",
        "not served here", "not handled here", "not hosted", "isn't hosted", "not present in our", "no es presente",
        "non e' presente", "non e presente", "nao esta cadastrad*", "nao cadastrad*", "no esta registrad*",
        "n'est pas enregistre", "nicht registriert", "nicht eingetragen", "not configured", "is unknown", "not created",
        "not provisioned", "not our", "not match", "doesn't match any", "is incorrect", "does not match any",
        "is not associated", "has been removed from", "not resolvable*", "cannot be resolved", "unresolvable",
        "does not resolve", "no existen", "no es valid*", "no ha sido encontrad*", "no ha sido localizad*",
        "no encontrad*", "no fue encontrad*", "no se encuentra", "nao encontrad*", "nao foi encontrad*", "nao e valid*",
        "invalid*", "invalide", "invalida", "invalido", "non trovat*", "non e' valid*", "non e valid*", "non valid*",
        "n'existe plus", "n'est pas connu", "introuvable*", "non trouve*", "n'est pas valide", "non valide",
        "existiert hier nicht", "nicht gefunden", "nicht vorhanden", "nicht bekannt", "ungultig", "ungueltig",
        "nicht gultig", "gibt es nicht", "wurde nicht gefunden", "konnte nicht gefunden", "bestaat niet",
        "niet gevonden", "niet bekend", "finns inte", "findes ikke", "finnes ikke", "eksisterer ikke", "hittades inte",
        "existerar inte", "nie znaleziono", "nieznany", "nie odnaleziono", "neexistuje", "nenalezen*", "nem letezik",
        "nem talalhato", "nu exista", "не знайдено", "не існує", "не зарегистрирован*", "неизвестен", "отсутствует",
        "недействител*", "bulunamadi*", "yok", "mevcut degil", "tidak ada", "tidak ditemukan", "存在しません", "存在しない",
        "見つかりません", "見つかりませんでした", "見つからない", "不明", "ありません", "無効", "不存在", "未找到", "无效", "不正确", "없습니다", "존재하지",
    ]),
    (Predicate::Disabled, Side::Either, &[
        "disabled", "inactive", "deactivated", "suspended", "discontinued", "deleted", "terminated", "expired",
        "closed", "cancelled", "canceled", "archived", "archivee", "archive", "archiviert", "archivado", "archivada",
        "retired", "decommissioned", "removed", "blocked due to inactivity", "frozen", "deshabilitada", "deshabilitado",
        "desactivada", "desactivado", "suspendida", "suspendido", "desativada", "desativado", "inativo", "inativa",
        "inactiva", "inactivo", "desactive*", "desactivee", "desactive", "suspendu", "supprime*", "supprime", "ferme",
        "inactif", "disattivat*", "disattivata", "disattivato", "disabilitata", "disabilitato", "sospesa", "sospeso",
        "scaduta", "scaduto", "deaktiviert", "geloscht", "geloescht", "stillgelegt", "inaktiv", "abgeschaltet",
        "geschlossen", "gedeactiveerd", "uitgeschakeld", "opgeheven", "nieaktywne", "nieaktywny", "wylaczone",
        "usuniete", "zrusen*", "заблокирован*", "отключен*", "удален*", "деактивирован*", "неактивен*", "停止", "無効化",
        "已停用", "已注销", "禁用", "冻结", "정지", "cerrada", "eliminada", "ha expirado",
    ]),
    (Predicate::Disabled, Side::NounFirst, &[
        "not active", "is not active", "no longer active", "not enabled", "isn't active", "turned off", "switched off",
        "no longer exists", "has been shut", "currently suspended", "is on hold", "not activated", "inaccessible",
    ]),
    (Predicate::Full, Side::Either, &[
        "full", "voll", "vol", "plein", "pleine", "lleno", "llena", "pieno", "piena", "cheia", "cheio", "pelna",
        "pelne", "plna", "tele", "dolu", "full.",
    ]),
    (Predicate::Full, Side::NounFirst, &[
        "overquota", "over quota", "exceeded its quota", "exceeded their quota", "out of space", "has no space",
        "no space", "overfull", "overflow", "overflowed", "exceeds allowed size", "exceeded allowed size",
        "exceeded its size", "has exceeded the limit", "size exceeded", "is over the limit", "limit exceeded",
        "reached its maximum", "reached the maximum", "reached its limit", "exceeded its limit", "exceeded the limit",
        "exceeded their limit", "exceeded its", "reached the limit", "exceed its maximum", "exceeded its maximum",
        "capacity", "satur*", "esaurit*", "uberfullt", "ueberfuellt", "переполнен*", "いっぱい", "超過", "已满", "已滿", "满了",
        "가득",
    ]),
    (Predicate::Exceeded, Side::NounFirst, &[
        "exceeded", "exceeds", "exceeding", "full", "exhausted", "used up", "reached", "exceed", "violation",
        "excedida", "excedido", "superada", "superato", "superata", "depasse", "depassee", "uberschritten",
        "ueberschritten", "erschopft", "erschoepft", "aufgebraucht", "превышен*", "исчерпан*", "esaurito", "esaurita",
        "agotad*", "insufficient", "overrun", "超過", "不足",
    ]),
    (Predicate::Exceeded, Side::NounLast, &[
        "exceeded", "exceeds", "exceeding", "exceed", "exhausted", "used up", "no free", "no more", "no", "out of",
        "insufficient", "not enough", "over its", "over", "has reached its", "reached", "reached its", "no available",
        "nicht genugend", "nicht genug", "pas assez", "sin", "not sufficient",
    ]),
    (Predicate::Blocked, Side::Either, &[
        "blocked", "banned", "barred", "blacklisted", "bloqueado", "bloqueada", "bloque", "bloquee", "gesperrt*",
        "blockiert*", "bloccato", "bloccata", "заблокирован*", "拒绝", "拒否",
    ]),
    (Predicate::Blocked, Side::NounFirst, &[
        "rejected", "is refused", "was refused", "refused by", "refused due", "denied", "is listed", "was listed",
        "not allowed", "not permitted", "not authorized", "not authorised", "not accepted", "not welcome", "disallowed",
        "found in", "not trusted", "untrusted", "has been listed", "restricted", "prohibited", "zabroniony",
        "odrzucon*", "abgelehnt", "abgewiesen", "rechazad*", "rejete*", "rifiutat*",
    ]),
    (Predicate::Failed, Side::Either, &[
        "failed", "failure", "fail", "fails", "not pass", "not passed", "softfail", "hardfail", "invalid", "missing",
        "not aligned", "alignment", "permerror", "unauthorized", "fehlgeschlagen", "none", "reject", "rejected",
        "violation", "echec", "fallo", "fallito", "falhou", "не пройден", "required", "requires", "require", "must",
    ]),
];
