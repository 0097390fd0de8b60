//! The first-party plugin through the whole sandbox.

use crate::support::{at, customers, describe, fit, hundred, load};

#[test]
fn customers_get_values_that_were_described() {
    let (host, plugin) = load("retail-rfm");
    let described = describe(&plugin, "{\"groups\":3}");
    let class = described.iter().position(|description| description.name == "class").unwrap();
    assert_eq!(described[class].values.len(), 8);
    assert!(described[class].values.iter().all(|value| !value.label.zh_cn.is_empty()));
    let fitted = fit(&plugin, "{\"groups\":3}");
    let segmentation = plugin.segmentation().unwrap();
    let assigned = segmentation.assign(&described, &fitted.model.bytes, customers(0..100), &at()).unwrap();
    assert!(assigned.failed.is_empty());
    assert!(assigned.stats.memory_bytes_peak > 0);
    let column = &assigned.columns[class];
    assert!((0..100).all(|row| column.valid.get(row)));
    let mut sizes = vec![0; column.values.len()];
    column.codes.iter().for_each(|&code| sizes[code as usize] += 1);
    assert!(sizes.iter().filter(|&&size| size > 0).count() > 2, "{sizes:?}");
    assert_eq!(host.stats().faults, 0);
}

#[test]
fn ntile_makes_groups_of_equal_size() {
    let (_host, plugin) = load("retail-rfm");
    let described = describe(&plugin, "{\"groups\":4}");
    let fitted = fit(&plugin, "{\"groups\":4}");
    let assigned = plugin
        .segmentation()
        .unwrap()
        .assign(&described, &fitted.model.bytes, customers(0..100), &at())
        .unwrap();
    for name in ["ntile_r", "ntile_f", "ntile_m"] {
        let column = assigned.columns.iter().find(|column| column.name == name).unwrap();
        let mut sizes = [0; 4];
        for &code in &column.codes {
            let value: usize = column.values.get(code as usize).unwrap().parse().unwrap();
            sizes[value - 1] += 1;
        }
        assert_eq!(sizes, [25; 4], "{name}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_however_it_is_split() {
    let (_host, plugin) = load("retail-rfm");
    let segmentation = plugin.segmentation().unwrap();
    let described = describe(&plugin, "{}");
    let (fitted, again) = (fit(&plugin, "{}"), fit(&plugin, "{}"));
    assert_eq!(fitted.model, again.model);
    let names = |batch| {
        let assigned = segmentation.assign(&described, &fitted.model.bytes, batch, &at()).unwrap();
        let name = |row: usize| {
            let value = |column: &trellis_plugin_host::AssignedColumn| {
                let code = column.codes[row] as usize;
                column.valid.get(row).then(|| column.values.get(code).unwrap().to_owned())
            };
            assigned.columns.iter().map(value).collect::<Vec<_>>()
        };
        (0..assigned.columns[0].codes.len()).map(name).collect::<Vec<_>>()
    };
    let parts: Vec<_> = [0..1, 1..64, 64..100].into_iter().flat_map(|part| names(customers(part))).collect();
    assert_eq!(names(customers(0..100)), parts);
}

#[test]
fn a_plugin_explains_itself_in_both_languages() {
    let (_host, plugin) = load("retail-rfm");
    let fitted = fit(&plugin, "{}");
    let reasons =
        plugin.segmentation().unwrap().explain(&fitted.model.bytes, customers(3..5), &at()).unwrap();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons.iter().flatten().all(|reason| !reason.text.en.is_empty() && !reason.text.zh_cn.is_empty())
    );
    assert!(reasons.iter().all(|reasons| !reasons.is_empty()));
}

#[test]
fn a_configuration_that_the_plugin_refuses_names_the_setting() {
    let (_host, plugin) = load("retail-rfm");
    let config = "{\"groups\":12}";
    let error =
        plugin.segmentation().unwrap().fit(&mut hundred(), config, &at(), &Default::default()).unwrap_err();
    assert!(error.to_string().contains("`groups` is 12"), "{error}");
    let problems = plugin.manifest().validate_config(&serde_json::from_str(config).unwrap()).unwrap_err();
    assert_eq!(problems[0].to_string(), "setting `groups`: 12 breaks maximum 9");
}
