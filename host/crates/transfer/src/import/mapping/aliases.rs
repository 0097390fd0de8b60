//! Other names of columns that people give to fields of the standard objects.

use std::collections::BTreeMap;

use trellis_model::{FieldDefinition, ObjectDefinition};

use super::spec::ReferenceSpec;

/// Object, field, and what columns with it are called elsewhere, in lower case.
const ALIASES: &[(&str, &str, &[&str])] = &[
    (
        "order",
        "external_id",
        &["order id", "order_id", "订单编号", "订单号码", "交易编号", "order no", "order no."],
    ),
    (
        "order",
        "account",
        &["customer", "customer_id", "vip卡号", "会员卡号", "会员编号", "vip card number", "vip card no"],
    ),
    (
        "order",
        "ordered_on",
        &["date", "order date", "order_date", "付款时间", "支付时间", "订单日期", "payment time", "paid at"],
    ),
    (
        "order",
        "amount",
        &["total", "实际付款金额", "实付金额", "付款金额", "amount paid", "actual amount paid"],
    ),
    ("order", "store", &["shop", "shop name", "store name", "店铺名称", "门店", "门店名称"]),
    (
        "account",
        "external_id",
        &["customer id", "customer_id", "vip卡号", "会员卡号", "客户编号", "vip card number"],
    ),
    (
        "account",
        "name",
        &["customer", "customer name", "company", "vip姓名", "会员姓名", "客户姓名", "公司名称", "vip name"],
    ),
    ("account", "phone", &["mobile", "tel", "telephone", "手机", "手机号", "电话"]),
    ("contact", "name", &["full name", "contact", "姓名", "联系人"]),
    ("contact", "phone", &["mobile", "tel", "手机", "手机号", "电话"]),
    ("contact", "email", &["e-mail", "mail", "邮箱", "电子邮件"]),
    ("lead", "email", &["e-mail", "mail", "邮箱", "电子邮件"]),
    ("lead", "phone", &["mobile", "tel", "手机", "手机号", "电话"]),
];

/// Names of the column beside which a missing account of an order is created, with what it becomes there.
const MEMBER: &[&str] = &["vip卡号", "会员卡号", "vip card number", "vip card no"];

/// The field that a column of this name usually is, and how it refers to its record where that is not by external id alone.
pub(super) fn field_of<'a>(
    object: &'a ObjectDefinition,
    column: &str,
) -> Option<(&'a FieldDefinition, Option<ReferenceSpec>)> {
    let wanted = column.trim().to_lowercase();
    let known = ALIASES.iter().filter(|(of, ..)| *of == object.name.as_str());
    let mut named = known.filter(|(_, _, names)| names.contains(&wanted.as_str()));
    let field = named.find_map(|(_, field, _)| object.field(field))?;
    let member = object.name.as_str() == "order" && MEMBER.contains(&wanted.as_str());
    let reference = member.then(|| ReferenceSpec {
        create: true,
        set: BTreeMap::from([("name".to_owned(), toml::Value::String("{}".to_owned()))]),
        ..ReferenceSpec::default()
    });
    Some((field, reference))
}
