//! Phrases of absence notes. They count only where nothing else classifies the bounce.

#[rustfmt::skip]
pub(crate) const PHRASES: &[&str] = &[
    "out of the office", "out of office", "out-of-office", "on vacation", "on holiday", "on annual leave",
    "on parental leave", "on maternity leave", "on sick leave", "on leave until", "automatic reply", "automated reply",
    "auto reply", "auto-reply", "autoreply", "automatic response", "auto response", "autoresponder", "abwesend bis",
    "bin nicht im haus", "bin im urlaub", "abwesenheitsnotiz", "automatische antwort", "abwesenheit",
    "absent du bureau", "absence du bureau", "reponse automatique", "en conge", "en vacances", "fuera de la oficina",
    "respuesta automatica", "de vacaciones", "fuori ufficio", "risposta automatica", "in ferie", "ausencia temporaria",
    "resposta automatica", "afwezigheid", "automatisch antwoord", "автоответ", "не в офисе", "自動返信", "不在通知", "自动回复",
    "autosvar", "automatisk svar", "poza biurem", "automatyczna odpowiedz",
];
