//! What a case is about, and what it needs before somebody can decide.

use trellis_sdk::{WorkItem, decimal_places};

use crate::config::Config;

/// The kinds of cases that the desk works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// A customer disputes a transaction.
    CardDispute,
    /// A customer asks for a loan.
    LoanApplication,
}

/// Options of the field `bank_desk__documents`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Who the customer is.
    Identity,
    /// What the customer says happened, signed.
    Statement,
    /// That it was reported to the police.
    PoliceReport,
    /// What was bought.
    Receipt,
    /// That the customer tried to settle it with the merchant.
    MerchantCorrespondence,
    /// What the customer asks for.
    ApplicationForm,
    /// What the customer earns.
    IncomeProof,
    /// What the customer owes.
    CreditReport,
    /// What the loan is secured by.
    CollateralValuation,
}

impl Matter {
    /// What a case is about; none for cases of others.
    pub fn of(case: &WorkItem) -> Option<Self> {
        match case.choice("kind")? {
            "bank_desk__card_dispute" => Some(Self::CardDispute),
            "bank_desk__loan_application" => Some(Self::LoanApplication),
            _ => None,
        }
    }

    /// The documents that a decision rests on.
    pub fn required(self, case: &WorkItem, config: &Config) -> Vec<Document> {
        use Document::{
            ApplicationForm, CollateralValuation, CreditReport, Identity, IncomeProof,
            MerchantCorrespondence, PoliceReport, Receipt, Statement,
        };
        match self {
            Self::CardDispute => match case.choice("bank_desk__reason") {
                Some("unauthorised") => vec![Identity, Statement, PoliceReport],
                Some("not_received" | "not_as_described") => vec![Statement, Receipt, MerchantCorrespondence],
                Some("duplicate" | "wrong_amount") => vec![Statement, Receipt],
                _ => vec![Statement],
            },
            Self::LoanApplication => {
                let mut all = vec![Identity, ApplicationForm, IncomeProof, CreditReport];
                if amount(case).is_some_and(|amount| amount >= config.collateral_amount) {
                    all.push(CollateralValuation);
                }
                all
            }
        }
    }

    /// Those that have not come in.
    pub fn missing(self, case: &WorkItem, config: &Config) -> Vec<Document> {
        let received = case.choices("bank_desk__documents");
        let mut missing = self.required(case, config);
        missing.retain(|document| !received.iter().any(|option| option == document.option()));
        missing
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::CardDispute => ("disputed transaction", "交易争议"),
            Self::LoanApplication => ("loan application", "贷款申请"),
        }
    }
}

impl Document {
    /// The option of the field.
    pub fn option(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Statement => "statement",
            Self::PoliceReport => "police_report",
            Self::Receipt => "receipt",
            Self::MerchantCorrespondence => "merchant_correspondence",
            Self::ApplicationForm => "application_form",
            Self::IncomeProof => "income_proof",
            Self::CreditReport => "credit_report",
            Self::CollateralValuation => "collateral_valuation",
        }
    }

    /// English and Chinese.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("identity document", "身份证件"),
            Self::Statement => ("signed statement", "客户签字声明"),
            Self::PoliceReport => ("police report", "报案回执"),
            Self::Receipt => ("receipt or order", "购物凭证"),
            Self::MerchantCorrespondence => ("correspondence with the merchant", "与商户的往来记录"),
            Self::ApplicationForm => ("application form", "申请表"),
            Self::IncomeProof => ("proof of income", "收入证明"),
            Self::CreditReport => ("credit report", "征信报告"),
            Self::CollateralValuation => ("valuation of the collateral", "抵押物评估报告"),
        }
    }
}

/// A list for a sentence, in English and Chinese.
pub(crate) fn listed(documents: &[Document]) -> (String, String) {
    let words =
        |pick: fn(Document) -> &'static str| documents.iter().map(|one| pick(*one)).collect::<Vec<_>>();
    (words(|one| one.words().0).join(", "), words(|one| one.words().1).join("、"))
}

/// The case's amount in whole units of its currency.
pub(crate) fn amount(case: &WorkItem) -> Option<f64> {
    let money = case.money("bank_desk__amount")?;
    let units = 10_f64.powi(i32::try_from(decimal_places(&money.currency)).unwrap_or(2));
    Some(money.minor_units as f64 / units)
}
