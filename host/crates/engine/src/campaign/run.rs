//! The job that runs a campaign over its audience.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use serde_json::{Value as Json, json};
use trellis_model::{Batch, Cause, NamedRecord, RecordId, bilingual};
use trellis_plugin_host::CallContext;
use trellis_storage::WriteSet;

use super::{
    OUTSIDE_AUDIENCE, absent,
    audience::{self, InAudience},
    change::Verdict,
    deciding::Deciding,
    ids::Occasion,
    members::{self, Member},
    object,
    settle::{Customer, Settling, Tally},
};
use crate::{
    Error, Result, as_of,
    capsule::{self, End, Header, Kind},
    core::Core,
    decisions::StoredNamed,
    jobs::Running,
    plugins::hex,
    run::{Gathered, Live, Made, Place, Source, gather, report},
    stored,
};

/// A run of a campaign under way.
struct Run<'a> {
    core: &'a Core,
    job: &'a Running<'a>,
    deciding: Arc<Deciding>,
    at: CallContext,
    occasion: Occasion,
    members: HashMap<RecordId, Member>,
    /// Accounts of members whom the campaign looked at.
    seen: HashSet<RecordId>,
    counts: Counts,
    tally: Tally,
    hasher: blake3::Hasher,
}

/// What the plugin said.
#[derive(Debug, Default)]
struct Counts {
    customers: u64,
    eligible: u64,
    /// Customers who take part, by variant; hold-out is under the empty name.
    variants: BTreeMap<String, u64>,
    causes: BTreeMap<String, u64>,
    failed: u64,
    failures: BTreeMap<String, u64>,
}

/// The encoded form of a campaign's record, for a capsule's header.
pub(super) fn encode_campaign(campaign: &NamedRecord) -> Vec<u8> {
    stored::encode(&StoredNamed::from(campaign))
}

/// A hasher for what a plugin says about the customers of a run.
pub(super) fn hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("trellis engine campaign outputs v1")
}

/// Runs a campaign; called again with the same job where a stop of the server interrupted it.
pub(crate) fn run(core: &Core, job: &Running<'_>, campaign: RecordId) -> Result<Json> {
    let started = Instant::now();
    let time = job.id().0.get_timestamp().map(|time| time.to_unix());
    let time_ms = time.map_or(0, |(seconds, nanos)| seconds * 1_000 + u64::from(nanos) / 1_000_000);
    let occasion = Occasion::of_job(job.id(), i64::try_from(time_ms).unwrap_or_default(), campaign);
    let deciding = match job.wait(Deciding::for_run(core, job.caller(), campaign)) {
        Ok(deciding) => Arc::new(deciding),
        Err(error) => {
            let Some(skipped) = absent::skipped(core, &error) else { return Err(error) };
            let cause = Cause { job: Some(job.id()), ..job.caller().cause.clone() };
            job.wait(skipped.record(core, &occasion, &cause))?;
            return Ok(skipped.result(core, job.id(), campaign));
        }
    };
    let at = deciding.context(core, job.id());
    let run = Run {
        core,
        job,
        deciding,
        at,
        occasion,
        members: job.wait(members::of_campaign(core, campaign))?,
        seen: HashSet::new(),
        counts: Counts::default(),
        tally: Tally::default(),
        hasher: hasher(),
    };
    run.execute(started)
}

impl Run<'_> {
    fn execute(mut self, started: Instant) -> Result<Json> {
        let (core, job) = (self.core, self.job);
        let (rows, log_number) = self.rows()?;
        let position = core.records.store().head().0;
        let total = rows.rows();
        let header = self.header(position, log_number);
        let place = Place { capsules: &core.capsules, bytes_max: core.config.capsule_bytes_max };
        let Gathered { mut source, mut capsule, .. } =
            gather(place, &header, Live::rows(rows), || job.check())?;
        while let Some(batch) = source.next()? {
            job.check()?;
            let verdicts = match self.deciding.decide(&batch, &self.at) {
                Ok(verdicts) => verdicts,
                Err(error) => return self.left_out(error, &header, started),
            };
            let bytes = stored::encode(&verdicts);
            self.hasher.update(&bytes);
            if capsule.is_writing() {
                let bounds = (batch.ordinals.first().copied(), batch.ordinals.last().copied());
                let bounds = (bounds.0.unwrap_or(0), bounds.1.unwrap_or(0));
                capsule.results(Some(&capsule::encode(Kind::Results, bounds, &bytes)));
            }
            verdicts.iter().for_each(|verdict| self.counts.add(verdict));
            if let Err(error) = job.wait(self.settle(&batch, verdicts)) {
                return self.left_out(error, &header, started);
            }
            job.progress(self.counts.customers, Some(total), "customers");
        }
        drop(source);
        job.wait(self.settle_unseen())?;
        let end = End { rows: self.counts.customers, outputs_digest: *self.hasher.finalize().as_bytes() };
        let made = capsule.finish(&end);
        job.wait(self.list(&made))?;
        Ok(self.result(&end, &made, &header, started))
    }

    /// The end of a run whose plugin cannot be called any more: those whom it was not asked about stay as they are, or the run fails.
    fn left_out(self, error: Error, header: &Header, started: Instant) -> Result<Json> {
        let Some(skipped) = absent::skipped(self.core, &error) else { return Err(error) };
        let cause = Cause { job: Some(self.job.id()), ..self.job.caller().cause.clone() };
        self.job.wait(skipped.record(self.core, &self.occasion, &cause))?;
        let end =
            End { rows: self.counts.customers, outputs_digest: *self.hasher.clone().finalize().as_bytes() };
        let none = bilingual!("its plugin could not be called to the end", "插件未能全程调用");
        let mut result = self.result(&end, &Err(none), header, started);
        if let Some(result) = result.as_object_mut() {
            result.insert("skipped".into(), skipped.to_json());
        }
        Ok(result)
    }

    fn rows(&self) -> Result<(InAudience<trellis_columns::DatasetStream>, u64)> {
        let (core, deciding) = (self.core, &self.deciding);
        self.job.wait(async {
            core.columns.catch_up().await?;
            let audience = match &deciding.audience {
                Some(filter) => Some(audience::ordinals(core, filter, || self.job.check()).await?.into()),
                None => None,
            };
            let rows_max = core.config.batch_rows_max as usize;
            let rows = core.columns.dataset(&deciding.spec, deciding.as_of, rows_max).await?;
            let log_number = rows.log_number();
            Ok((InAudience { rows, audience }, log_number))
        })
    }

    fn header(&self, position: u64, log_number: u64) -> Header {
        Header {
            epoch: self.core.records.store().epoch().0,
            run: *self.job.id().as_bytes(),
            plugin: self.deciding.plugin.to_string(),
            version: self.deciding.version(),
            plugin_digest: self.deciding.digest(),
            config: self.deciding.config.clone(),
            at: (&self.at).into(),
            log_number,
            position,
            campaign: encode_campaign(&self.deciding.seen),
        }
    }

    /// Settles the customers of a batch, as far as something can become of them.
    async fn settle(&mut self, batch: &Batch, verdicts: Vec<Verdict>) -> Result<()> {
        // Whoever stays out and is no member needs no look: there may be a million of them.
        let all = !self.members.is_empty();
        let concerned = |(_, verdict): &(usize, Verdict)| all || matches!(verdict, Verdict::TakesPart { .. });
        let verdicts: Vec<_> = verdicts.into_iter().enumerate().filter(concerned).collect();
        let ordinals: Vec<_> =
            verdicts.iter().filter_map(|(row, _)| batch.ordinals.get(*row).copied()).collect();
        let schema = self.core.records.schema();
        let account = object("account");
        let unknown = || trellis_records::Error::UnknownObject { name: account.to_string() };
        let account = schema.object(account.as_str()).ok_or_else(unknown)?.id;
        let ids = self.core.records.ordinal_ids(account, &ordinals).await?;
        let mut customers = Vec::with_capacity(verdicts.len());
        for ((row, verdict), account) in verdicts.into_iter().zip(ids) {
            let Some(account) = account else { continue };
            let member = self.members.get(&account).cloned();
            if member.is_some() {
                self.seen.insert(account);
            }
            let is_in = matches!(verdict, Verdict::TakesPart { .. });
            if is_in || member.is_some() {
                customers.push(Customer { account, row: Some(row), verdict, member, ask: is_in });
            }
        }
        self.settle_all(batch, customers).await
    }

    /// Members who are not among the customers that the campaign looks at are not contacted any more.
    async fn settle_unseen(&mut self) -> Result<()> {
        let unseen = self.members.values().filter(|member| !self.seen.contains(&member.account));
        let customers = unseen.map(|member| Customer {
            account: member.account,
            row: None,
            verdict: Verdict::StaysOut { cause: Some(OUTSIDE_AUDIENCE.to_owned()) },
            member: Some(member.clone()),
            ask: false,
        });
        let customers = customers.collect();
        self.settle_all(&Batch::default(), customers).await
    }

    async fn settle_all(&mut self, batch: &Batch, customers: Vec<Customer>) -> Result<()> {
        let settling = Settling {
            core: self.core,
            deciding: &self.deciding,
            at: &self.at,
            occasion: &self.occasion,
            cause: &self.job.caller().cause,
            check: &|| self.job.check(),
        };
        let mut tally = std::mem::take(&mut self.tally);
        settling.settle(batch, customers, &mut tally).await?;
        self.tally = tally;
        Ok(())
    }

    /// Makes the capsule known, and lets older ones go.
    async fn list(&self, made: &Made) -> Result<()> {
        let (records, plugin) = (&self.core.records, &self.deciding.plugin);
        if let Ok((digest, _)) = made {
            let mut set = WriteSet::new();
            capsule::entry(&mut set, plugin, self.job.id(), digest);
            records.commit(set, None).await?;
        }
        let kept = self.core.config.capsules_kept_per_plugin;
        capsule::delete_old(records, &self.core.capsules, plugin, kept).await?;
        self.core.expire_capsules().await
    }

    fn result(&self, end: &End, made: &Made, header: &Header, started: Instant) -> Json {
        let (counts, tally) = (&self.counts, &self.tally);
        let refusal = |(account, error): &(RecordId, trellis_records::Error)| json!({ "account": account.to_string(), "code": error.code(), "message": report::text(&error.text()) });
        json!({
            "run": self.job.id().to_string(),
            "campaign": self.deciding.id.to_string(),
            "plugin": self.deciding.plugin.as_str(),
            "version": header.version,
            "digest": hex(&header.plugin_digest),
            "config": serde_json::from_str::<Json>(&self.deciding.config).unwrap_or_default(),
            "as_of": as_of::text(self.deciding.as_of),
            "log": header.log_number,
            "position": header.position,
            "seed": header.at.seed.to_string(),
            "customers": counts.customers,
            "eligible": counts.eligible,
            "variants": counts.variants,
            "causes": counts.causes,
            "failed": counts.failed,
            "failures": counts.failures,
            "members": tally.changes,
            "conflicts": tally.conflicts,
            "refused": tally.refused,
            "refusals": tally.refusals.iter().map(refusal).collect::<Vec<_>>(),
            "decided": tally.decided,
            "actions": tally.actions,
            "outputs_digest": hex(&end.outputs_digest),
            "capsule": report::capsule(made),
            "took_ms": started.elapsed().as_secs_f64() * 1_000.0,
        })
    }
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        self.customers += 1;
        match verdict {
            Verdict::TakesPart { variant } => {
                self.eligible += 1;
                *self.variants.entry(variant.clone().unwrap_or_default()).or_default() += 1;
            }
            Verdict::StaysOut { cause } => {
                *self.causes.entry(cause.clone().unwrap_or_default()).or_default() += 1;
            }
            Verdict::Failed { code } => {
                self.failed += 1;
                *self.failures.entry(code.clone()).or_default() += 1;
            }
        }
    }
}
