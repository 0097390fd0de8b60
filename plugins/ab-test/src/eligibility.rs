//! Who takes part, and why not.

use trellis_sdk::{Batch, PluginError, Reason, Result, localized, reason};

use crate::config::Config;

/// The columns that decide.
pub(crate) struct Rows<'a> {
    orders: trellis_sdk::values::Values<'a, i64>,
    complaints: trellis_sdk::values::Values<'a, i64>,
    require: Option<Flag<'a>>,
    exclude: Option<Flag<'a>>,
}

/// A yes-or-no field.
struct Flag<'a>(trellis_sdk::values::Booleans<'a>);

const NO_CONSENT: &str = "required-field-not-yes";
const EXCLUDED: &str = "excluded-by-field";
const OPEN_COMPLAINT: &str = "open-complaint";
const TOO_FEW_ORDERS: &str = "too-few-orders";

impl<'a> Rows<'a> {
    pub(crate) fn read(batch: &'a Batch, config: &Config) -> Result<Self> {
        Ok(Self {
            orders: batch.int64("orders")?,
            complaints: batch.int64("open_complaints")?,
            require: flag(batch, "require", config.require.as_deref())?,
            exclude: flag(batch, "exclude", config.exclude.as_deref())?,
        })
    }

    pub(crate) fn judge(&self, row: usize, config: &Config) -> Result<(), &'static str> {
        if self.require.as_ref().is_some_and(|flag| !flag.is_yes(row)) {
            return Err(NO_CONSENT);
        }
        if self.exclude.as_ref().is_some_and(|flag| flag.is_yes(row)) {
            return Err(EXCLUDED);
        }
        if config.skip_open_complaints && self.complaints.get(row).unwrap_or(0) > 0 {
            return Err(OPEN_COMPLAINT);
        }
        if self.orders.get(row).unwrap_or(0) < config.min_orders {
            return Err(TOO_FEW_ORDERS);
        }
        Ok(())
    }

    pub(crate) fn explain(&self, row: usize, config: &Config) -> Reason {
        let orders = self.orders.get(row).unwrap_or(0);
        match self.judge(row, config) {
            Ok(()) => {
                reason("eligible", localized("nothing speaks against taking part", "符合全部参与条件"), 0.5)
            }
            Err(cause @ NO_CONSENT) => {
                let field = config.require.as_deref().unwrap_or_default();
                reason(cause, localized(format!("`{field}` is not yes"), format!("“{field}”不为“是”")), 1.0)
            }
            Err(cause @ EXCLUDED) => {
                let field = config.exclude.as_deref().unwrap_or_default();
                reason(cause, localized(format!("`{field}` is yes"), format!("“{field}”为“是”")), 1.0)
            }
            Err(cause @ OPEN_COMPLAINT) => {
                reason(cause, localized("an open complaint comes first", "有未结投诉，应先处理投诉"), 1.0)
            }
            Err(cause) => {
                let text = localized(
                    format!("{orders} orders, fewer than {}", config.min_orders),
                    format!("共 {orders} 笔订单，少于 {} 笔", config.min_orders),
                );
                reason(cause, text, 1.0)
            }
        }
    }
}

impl Flag<'_> {
    fn is_yes(&self, row: usize) -> bool {
        self.0.get(row) == Some(true)
    }
}

/// The column of a setting that names a field; none where it names none.
fn flag<'a>(batch: &'a Batch, name: &str, field: Option<&str>) -> Result<Option<Flag<'a>>> {
    let Some(field) = field else { return Ok(None) };
    match batch.type_of(name) {
        Some("boolean") => Ok(Some(Flag(batch.boolean(name)?))),
        found => Err(PluginError::InvalidConfig(
            (
                format!(
                    "`{name}` names the field `{field}`, which is of type {}; it must be yes or no",
                    found.unwrap_or("none")
                ),
                format!(
                    "`{name}` 指定的字段 `{field}` 类型为 {}；须为是/否字段",
                    found.unwrap_or("（缺失）")
                ),
            )
                .into(),
        )),
    }
}
