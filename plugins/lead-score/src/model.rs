//! The settings, and how many leads they put where.

use trellis_sdk::{
    LocalizedText, Metric, Model, ModelReader, ModelWriter, PluginError, Result, RowStream, localized, metric,
};

use crate::config::Config;
use crate::conversions::Conversions;
use crate::judgement::{GRADES, Judgement, Met};
use crate::rows::{self, Lead};

/// The format of the bytes. A change of what is written, or of what it means, needs a new number.
const FORMAT: u8 = 2;

/// What `fit` keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeadModel {
    /// With words in lower case.
    pub(crate) config: Config,
    pub(crate) leads: u64,
    /// By grade that counts; and how many of them are pinned.
    pub(crate) grades: [u64; GRADES.len()],
    pub(crate) pinned: u64,
    pub(crate) ungraded: u64,
    /// Of each criterion: met, not met, unknown, not asked for.
    pub(crate) criteria: [[u64; 4]; 5],
    /// By tenths of 100: fit, engagement, money-authority-need.
    pub(crate) spread: [[u64; 10]; 3],
    /// Of money, authority and need: yes, partly, no, unknown.
    pub(crate) man: [[u64; 4]; 3],
    pub(crate) conversions: Conversions,
}

impl LeadModel {
    /// Reads the leads once; memory does not depend on their number.
    ///
    /// # Errors
    /// Where settings contradict each other, or there is no lead.
    pub(crate) fn learn(rows: &mut RowStream<'_>, config: &Config) -> Result<Model> {
        config.check()?;
        let mut model = Self::new(config.lowered());
        for batch in rows {
            for lead in rows::read(&batch)? {
                let judgement = model.config.judge(&lead);
                model.add(&lead, &judgement);
            }
        }
        if model.leads == 0 {
            return Err(PluginError::UnsuitableData(("there is no lead", "没有线索").into()));
        }
        Ok(Model { bytes: model.to_bytes(), summary: model.summary(), metrics: model.metrics() })
    }

    fn new(config: Config) -> Self {
        Self {
            config,
            leads: 0,
            grades: [0; GRADES.len()],
            pinned: 0,
            ungraded: 0,
            criteria: [[0; 4]; 5],
            spread: [[0; 10]; 3],
            man: [[0; 4]; 3],
            conversions: Conversions::default(),
        }
    }

    fn add(&mut self, lead: &Lead<'_>, judgement: &Judgement) {
        self.leads += 1;
        self.pinned += u64::from(judgement.grade.is_some() && lead.pinned.is_some());
        match judgement.grade {
            Some(grade) => count(&mut self.grades, grade),
            None => self.ungraded += 1,
        }
        self.conversions.add(lead.status, judgement);
        for (counts, met) in self.criteria.iter_mut().zip(judgement.criteria) {
            count(
                counts,
                match met {
                    Met::Yes => 0,
                    Met::No => 1,
                    Met::Unknown => 2,
                    Met::Unasked => 3,
                },
            );
        }
        let points = [judgement.fit, Some(judgement.engagement), judgement.man];
        for (counts, points) in self.spread.iter_mut().zip(points) {
            if let Some(points) = points {
                count(counts, ((points / 10.0) as usize).min(9));
            }
        }
        for (counts, grade) in self.man.iter_mut().zip(lead.man) {
            count(
                counts,
                match grade {
                    Some("yes") => 0,
                    Some("partly") => 1,
                    Some("no") => 2,
                    _ => 3,
                },
            );
        }
    }

    pub(crate) fn summary(&self) -> LocalizedText {
        let best: u64 = self.best();
        localized(
            format!(
                "{} leads; {best} fit and engage well (A1 to B2), {} are pinned, {} have no grade.",
                self.leads, self.pinned, self.ungraded
            ),
            format!(
                "{} 条线索；匹配度与参与度均好（A1 至 B2）{best} 条，人工指定 {} 条，无等级 {} 条。",
                self.leads, self.pinned, self.ungraded
            ),
        )
    }

    fn best(&self) -> u64 {
        let is_best = |place: usize| place / 4 < 2 && place % 4 < 2;
        self.grades.iter().enumerate().filter(|(place, _)| is_best(*place)).map(|(_, count)| count).sum()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            metric("leads", localized("Leads", "线索数"), self.leads as f64),
            metric(
                "best",
                localized("Fit and engage well (A1 to B2)", "匹配度与参与度均好（A1 至 B2）"),
                self.best() as f64,
            ),
            metric("pinned", localized("Pinned by a person", "人工指定"), self.pinned as f64),
            metric("ungraded", localized("Without a grade", "无等级"), self.ungraded as f64),
        ];
        metrics.extend(self.conversions.metrics());
        metrics
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = &self.config;
        let bounds = [config.employees_min, config.employees_max];
        let mut writer = ModelWriter::new(FORMAT).f64s(&[
            config.industry_weight,
            config.country_weight,
            config.title_weight,
            config.size_weight,
            config.source_weight,
            config.half_life_days,
            config.strong_points,
            config.light_points,
            config.points_for_half,
            config.grade_a,
            config.grade_b,
            config.grade_c,
        ]);
        for bound in bounds {
            writer = writer.i64s(bound.as_slice());
        }
        for words in [&config.industries, &config.countries, &config.titles, &config.sources] {
            writer = words.iter().fold(writer.u64(words.len() as u64), |writer, word| writer.text(word));
        }
        writer
            .u64s(&[self.leads, self.pinned, self.ungraded])
            .u64s(&self.grades)
            .u64s(self.criteria.as_flattened())
            .u64s(self.spread.as_flattened())
            .u64s(self.man.as_flattened())
            .u64s(&self.conversions.to_numbers())
            .finish()
    }

    /// # Errors
    /// [`PluginError::UnreadableModel`] for bytes that [`LeadModel::to_bytes`] did not write.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ModelReader::new(bytes, FORMAT)?;
        let [
            industry_weight,
            country_weight,
            title_weight,
            size_weight,
            source_weight,
            half_life_days,
            strong_points,
            light_points,
            points_for_half,
            grade_a,
            grade_b,
            grade_c,
        ] = array(reader.f64s()?)?;
        let (least, most) = (reader.i64s()?, reader.i64s()?);
        let mut words = || -> Result<Vec<String>> {
            let count = reader.u64()?;
            (0..count).map(|_| reader.text()).collect()
        };
        let config = Config {
            industries: words()?,
            countries: words()?,
            titles: words()?,
            sources: words()?,
            employees_min: least.first().copied(),
            employees_max: most.first().copied(),
            industry_weight,
            country_weight,
            title_weight,
            size_weight,
            source_weight,
            half_life_days,
            strong_points,
            light_points,
            points_for_half,
            grade_a,
            grade_b,
            grade_c,
        };
        let mut model = Self::new(config);
        [model.leads, model.pinned, model.ungraded] = array(reader.u64s()?)?;
        model.grades = array(reader.u64s()?)?;
        model.criteria = table(&reader.u64s()?)?;
        model.spread = table(&reader.u64s()?)?;
        model.man = table(&reader.u64s()?)?;
        model.conversions = Conversions::of_numbers(&reader.u64s()?)
            .ok_or_else(|| PluginError::UnreadableModel("its lists do not fit".into()))?;
        reader.finish()?;
        Ok(model)
    }
}

fn count(counts: &mut [u64], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

fn array<T, const N: usize>(values: Vec<T>) -> Result<[T; N]> {
    values.try_into().map_err(|_| PluginError::UnreadableModel("its lists do not fit".into()))
}

fn table<const N: usize, const M: usize>(counts: &[u64]) -> Result<[[u64; N]; M]> {
    let (rows, rest) = counts.as_chunks::<N>();
    if rest.is_empty() { array(rows.to_vec()) } else { array(Vec::new()) }
}
