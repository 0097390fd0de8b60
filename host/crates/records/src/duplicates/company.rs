//! Names of companies without what says their legal form and place.

use super::normalise;

/// What stands at the end of a Chinese company's name, the longest first.
const CHINESE: [&str; 14] = [
    "股份有限责任公司",
    "有限责任公司",
    "股份有限公司",
    "集团有限公司",
    "控股有限公司",
    "有限合伙企业",
    "普通合伙",
    "有限合伙",
    "个体工商户",
    "有限公司",
    "集团公司",
    "总公司",
    "公司",
    "集团",
];

/// Legal forms as the last words of a name, of one to three words, written as `normalise::words` does.
const FORMS: [&[&str]; 68] = [
    &["incorporated"],
    &["inc"],
    &["corporation"],
    &["corp"],
    &["company"],
    &["co"],
    &["limited"],
    &["ltd"],
    &["llc"],
    &["l", "l", "c"],
    &["llp"],
    &["lp"],
    &["plc"],
    &["p", "l", "c"],
    &["pte"],
    &["pty"],
    &["pvt"],
    &["private"],
    &["public"],
    &["group"],
    &["holding"],
    &["holdings"],
    &["gmbh"],
    &["mbh"],
    &["ag"],
    &["kg"],
    &["kgaa"],
    &["ohg"],
    &["gbr"],
    &["ug"],
    &["e", "k"],
    &["ek"],
    &["ev"],
    &["e", "v"],
    &["eg"],
    &["haftungsbeschrankt"],
    &["se"],
    &["sarl"],
    &["s", "a", "r", "l"],
    &["sa"],
    &["s", "a"],
    &["sas"],
    &["s", "a", "s"],
    &["sasu"],
    &["eurl"],
    &["srl"],
    &["s", "r", "l"],
    &["spa"],
    &["s", "p", "a"],
    &["sl"],
    &["s", "l"],
    &["slu"],
    &["ltda"],
    &["lda"],
    &["bv"],
    &["b", "v"],
    &["nv"],
    &["n", "v"],
    &["ab"],
    &["as"],
    &["a", "s"],
    &["aps"],
    &["oy"],
    &["oyj"],
    &["kk"],
    &["k", "k"],
    &["sp", "z", "o", "o"],
    &["ooo"],
];

/// Japanese and Korean forms stand at either end.
const EITHER_END: [&str; 5] = ["株式会社", "有限会社", "合同会社", "주식회사", "유한회사"];

/// Words that join a legal form to the name: `Müller & Co. KG`.
const JOINING: [&str; 3] = ["and", "und", "et"];

/// The part of a company's name that tells it from others; all of the name where nothing else would be left.
pub(crate) fn name(text: &str) -> String {
    let without_place = without_brackets(text);
    let mut words = normalise::words(&without_place);
    let all = words.concat();
    while let Some(length) = form_at_end(&words).filter(|length| *length < words.len()) {
        words.truncate(words.len() - length);
        while words.len() > 1 && words.last().is_some_and(|word| JOINING.contains(&word.as_str())) {
            words.pop();
        }
    }
    let mut name = words.concat();
    while let Some(shorter) = without_form(&name) {
        name = shorter;
    }
    if !name.is_empty() {
        return name;
    }
    if all.is_empty() { normalise::letters(text) } else { all }
}

/// How many words at the end are a legal form.
fn form_at_end(words: &[String]) -> Option<usize> {
    let ends = |form: &&&[&str]| {
        words.len() >= form.len()
            && words.iter().rev().zip(form.iter().rev()).all(|(word, part)| word == part)
    };
    FORMS.iter().filter(ends).map(|form| form.len()).max()
}

/// A name without one form that is written together with it; `None` where there is none, or nothing would be left.
fn without_form(name: &str) -> Option<String> {
    let end = CHINESE.iter().chain(&EITHER_END).find_map(|form| name.strip_suffix(form));
    let shorter = end.or_else(|| EITHER_END.iter().find_map(|form| name.strip_prefix(form)));
    shorter.filter(|shorter| !shorter.is_empty()).map(str::to_owned)
}

/// A name without what stands in round brackets, of either width: `（中国）`, `(UK)`.
fn without_brackets(text: &str) -> String {
    let (mut out, mut depth) = (String::with_capacity(text.len()), 0_u32);
    for c in text.chars() {
        match c {
            '(' | '（' => depth += 1,
            ')' | '）' => {
                depth = depth.saturating_sub(1);
                out.push(' ');
            }
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_forms_and_places_do_not_count() {
        let same = |a: &str, b: &str| assert_eq!(name(a), name(b), "{a} {b}");
        same("Acme Ltd.", "ACME, Inc");
        same("Acme Corporation", "acme");
        same("Müller & Söhne GmbH & Co. KG", "Muller Sohne");
        same("Société Générale S.A.", "societe generale");
        same("华为技术有限公司", "华为技术");
        same("阿里巴巴（中国）网络技术有限公司", "阿里巴巴网络技术股份有限公司");
        same("腾讯控股有限公司", "腾讯");
        same("株式会社トヨタ", "トヨタ株式会社");
        same("ＡＣＭＥ　Ｌｔｄ", "acme");
        assert_ne!(name("Acme North Ltd"), name("Acme Ltd"));
        // A name that is nothing but a form stays what it is.
        assert_eq!(name("Limited"), "limited");
        assert_eq!(name("公司"), "公司");
        assert_eq!(name("(UK)"), "uk");
    }
}
