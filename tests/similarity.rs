//! The similarity note by the built-in rules: when launches that no row explains are near a family, and how sure that is.

use std::sync::LazyLock;

use llm_prof::engine::similarity::{Level, Similarity, similar};
use llm_prof::engine::testing::timeline_of;
use llm_prof::engine::{classify, search};
use llm_prof::graph;
use llm_prof::rules::{CaseLaunch, RuleSet, Sources, load};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| load(&Sources::embedded()).expect("the built-in rules load"));

const GEMM: &str = "nvjet_tst_64x64_64x16_2x1_v_bz_TNT";
const NORM: &str = "void flashinfer::norm::RMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*)";
const ROPE: &str = "void vllm::rotary_embedding_kernel<c10::BFloat16, true>(long const*)";
const STORE: &str =
    "void (anonymous namespace)::store_kvcache<2048l, 4, false, long>((anonymous namespace)::StoreKVCacheParams)";
const ATTENTION: &str = "fmhaSm100aKernel_QkvE4m3OBfloat16H64PagedKvCausalP16VarSeqQ128Kv128PersistentContext";

/// A launch whose place is unknown, as in a graph replay.
fn replayed(kernel: &str) -> CaseLaunch {
    CaseLaunch { kernel: kernel.to_owned(), ..CaseLaunch::default() }
}

/// A launch at a place.
fn at(kernel: &str, op: &str, site: &str, module: &str) -> CaseLaunch {
    let one = |text: &str| Some(vec![text.to_owned()]);
    CaseLaunch { op: one(op), site: one(site), module: one(module), ..replayed(kernel) }
}

fn norm() -> CaseLaunch {
    at(NORM, "sgl_kernel::rmsnorm", "python/sglang/srt/layers/layernorm.py(146): forward_cuda", "RMSNorm_0")
}

fn turns(kernel: &str) -> CaseLaunch {
    let site = "python/sglang/srt/layers/rotary_embedding/base.py(335): forward_cuda";
    at(kernel, "sgl_kernel::rotary_embedding", site, "RotaryEmbedding_0")
}

fn stores(kernel: &str) -> CaseLaunch {
    at(kernel, "sglang::store_cache", "python/sglang/jit_kernel/kvcache.py(50): store_cache", "RadixAttention_0")
}

fn gemm() -> CaseLaunch {
    at(GEMM, "aten::mm", "python/sglang/srt/models/qwen3.py(167): forward_prepare_native", "QKVParallelLinear_0")
}

fn attends(kernel: &str) -> CaseLaunch {
    let site = "python/sglang/srt/layers/attention/flashattention_backend.py(1012): forward_decode";
    at(kernel, "sgl_kernel::fwd", site, "RadixAttention_0")
}

/// What four layers of launches in one step are near to.
fn layers(layer: &[CaseLaunch], given: &[(&str, &str)]) -> Similarity {
    times(4, layer, given)
}

fn times(n: usize, layer: &[CaseLaunch], given: &[(&str, &str)]) -> Similarity {
    let launches: Vec<CaseLaunch> = layer.iter().cloned().cycle().take(n * layer.len()).collect();
    let given: Vec<(String, String)> = given.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let timeline = timeline_of(&launches, &RULES, &given);
    let (classes, graph) = (classify(&RULES, &timeline), graph::build(&timeline));
    let similarity = similar(&RULES, &timeline, &graph, &classes, &search(&RULES, &timeline, &graph, &classes));
    let text = similarity.note().map(|note| note.text(&RULES, &timeline)).unwrap_or_default();
    assert!(!text.contains('\n'), "a note is one line: {text}");
    similarity
}

fn note(similarity: &Similarity) -> Option<(Level, &str)> {
    similarity.note().map(|note| (note.level.expect("a note has one"), RULES.families[note.family].id.as_str()))
}

/// Why a family is no note.
fn lost<'a>(similarity: &'a Similarity, family: &str) -> &'a str {
    let of = |sighting: &&llm_prof::engine::similarity::Sighting| RULES.families[sighting.family].id == family;
    let sighting = similarity.sightings.iter().find(of).expect("the family came into sight");
    sighting.lost.as_deref().unwrap_or("it is a note")
}

const SGLANG: [(&str, &str); 4] =
    [("framework", "sglang"), ("vendor", "nvidia"), ("arch", "sm90"), ("stage", "decode")];

#[test]
fn a_known_chain_with_one_unknown_kernel_is_high() {
    let layer = [gemm(), norm(), norm(), turns("acme_turn"), stores(STORE), attends(ATTENTION), gemm()];
    let seen = layers(&layer, &SGLANG);
    assert_eq!(note(&seen), Some((Level::High, "sglang/qk-norm-rope")));
    let first = seen.note().unwrap();
    assert_eq!(
        (first.occurrences, first.launches.len(), first.open.len(), first.link.as_deref()),
        (4, 3, 1, Some("rope"))
    );
    assert!(first.cues().contains(&"chain order 2 of 3".to_owned()), "{:?}", first.cues());
}

/// The launches on both sides fit; nothing is known of its place.
#[test]
fn between_kernels_that_fit_an_unknown_one_needs_no_place() {
    let layer = [GEMM, NORM, NORM, "acme_turn", STORE, ATTENTION, GEMM].map(replayed);
    let vllm = [("framework", "vllm"), ("vendor", "amd"), ("stage", "decode")];
    assert_eq!(note(&layers(&layer, &vllm)), Some((Level::High, "vllm/qk-norm-rope-kv")));
    // One of several kinds of rotation, which only a place tells.
    let sglang = [("framework", "sglang"), ("vendor", "amd"), ("model", "qwen3-30b-a3b"), ("stage", "decode")];
    let seen = layers(&layer, &sglang);
    assert_eq!(note(&seen), None);
    assert!(lost(&seen, "sglang/qk-norm-rope-kv").starts_with("only a place could tell"));
}

/// After two norms an attention may follow as well as a rotation.
#[test]
fn at_the_end_of_a_chain_it_needs_one() {
    let layer = [GEMM, NORM, NORM, "acme_turn", ATTENTION, GEMM].map(replayed);
    let seen = layers(&layer, &SGLANG);
    assert_eq!(note(&seen), None);
    assert!(lost(&seen, "sglang/qk-norm-rope").contains("at an end of the chain"));
}

/// Its namespace is known to a term that only rules kernels out.
#[test]
fn what_only_a_vague_term_knows_is_unknown() {
    let reduce = "void vllm::cross_device_reduce_1stage<__nv_bfloat16, 8>(vllm::RankData*)";
    let add = at("void flashinfer::norm::AcmeAdd<8u>(int)", "sgl_kernel::fused_add_rmsnorm", "x.py(1): f", "RMSNorm_0");
    let tp = [&SGLANG[..], &[("tp", "2")]].concat();
    let seen = layers(&[replayed(GEMM), replayed(reduce), add, replayed(GEMM)], &tp);
    assert_eq!(note(&seen).map(|(_, family)| family), Some("sglang/allreduce-rmsnorm-flashinfer"));
}

#[test]
fn an_unknown_place_is_no_place_of_a_kind() {
    let layer = [GEMM, NORM, NORM, ROPE, "acme_put", ATTENTION, GEMM].map(replayed);
    assert_eq!(note(&layers(&layer, &SGLANG)), None);
}

/// A kernel of PyTorch's own has its own name, so a padding's fill is no unknown kernel.
#[test]
fn an_unknown_kernel_is_no_part_of_an_eager_chain() {
    let copy = "void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const::{lambda()#12}::operator()() const::{lambda(c10::BFloat16)#1}>(at::TensorIteratorBase&, at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3} const&)::{lambda(int)#1}>(int)";
    let mut layer = [GEMM, NORM, GEMM, "acme_put", copy].map(replayed);
    layer[4].op = Some(["aten::copy_", "aten::constant_pad_nd", "aten::pad"].map(str::to_owned).to_vec());
    let amd = [("framework", "sglang"), ("vendor", "amd"), ("stage", "decode")];
    let seen = layers(&layer, &amd);
    assert_eq!(note(&seen), None);
    assert!(lost(&seen, "sglang/rmsnorm-pad").starts_with("only a place could tell"));
}

#[test]
fn one_known_kernel_is_a_chain_only_with_the_place_of_the_other() {
    let placed = [gemm(), turns(ROPE), stores("acme_put"), attends(ATTENTION), gemm()];
    assert_eq!(note(&layers(&placed, &SGLANG)), Some((Level::High, "sglang/rope-kv-store")));
    let replayed = [GEMM, ROPE, "acme_put", ATTENTION, GEMM].map(replayed);
    let seen = layers(&replayed, &SGLANG);
    assert_eq!(note(&seen), None);
    assert!(lost(&seen, "sglang/rope-kv-store").contains("make no chain"));
}

#[test]
fn the_same_family_on_another_framework_is_medium() {
    let layer = [gemm(), norm(), norm(), turns(ROPE), attends(ATTENTION), gemm()];
    let tokenspeed = [("framework", "tokenspeed"), ("vendor", "nvidia"), ("stage", "decode")];
    let seen = layers(&layer, &tokenspeed);
    assert_eq!(note(&seen), Some((Level::Medium, "sglang/qk-norm-rope")));
    // Where the framework has the family, its row explains the chain.
    let seen = layers(&layer, &SGLANG);
    assert_eq!(note(&seen), None);
    assert_eq!(lost(&seen, "vllm/qk-norm-rope"), "a row of sglang/qk-norm-rope explains these launches");
}

#[test]
fn two_kernels_of_another_framework_need_places_of_their_kind() {
    let tokenspeed = [("framework", "tokenspeed"), ("stage", "decode")];
    let placed = [gemm(), turns(ROPE), stores(STORE), attends(ATTENTION), gemm()];
    assert_eq!(note(&layers(&placed, &tokenspeed)), Some((Level::Medium, "sglang/rope-kv-store")));
    let replayed = [GEMM, ROPE, STORE, ATTENTION, GEMM].map(replayed);
    assert_eq!(note(&layers(&replayed, &tokenspeed)), None);
}

#[test]
fn only_ops_and_sites_near_is_low() {
    let layer = [gemm(), turns("acme_turn"), stores("acme_put"), attends(ATTENTION), gemm()];
    assert_eq!(note(&layers(&layer, &SGLANG)), Some((Level::Low, "sglang/rope-kv-store")));
    // An op alone is one cue of too little weight.
    let op = |kernel: &str, op: &str| CaseLaunch { op: Some(vec![op.to_owned()]), ..replayed(kernel) };
    let layer = [
        op(GEMM, "aten::mm"),
        op("acme_turn", "acme::rotary"),
        op("acme_put", "acme::store_cache"),
        op(GEMM, "aten::mm"),
    ];
    assert_eq!(note(&layers(&layer, &SGLANG)), None);
}

#[test]
fn a_name_alone_is_no_note() {
    for name in ["acme_qknorm_with_rotation", "acme_fused_everything_rope_store"] {
        assert_eq!(note(&layers(&[GEMM, name, ATTENTION, GEMM].map(replayed), &SGLANG)), None, "{name}");
        let placed = [gemm(), turns(name), attends(ATTENTION), gemm()];
        assert_eq!(note(&layers(&placed, &SGLANG)), None, "one kernel at its place is no chain: {name}");
    }
    // The fused kernel of another framework's family is what its name says, and no more.
    let fused = [GEMM, "fused_qknorm_rope_kernel", ATTENTION, GEMM].map(replayed);
    assert_eq!(note(&layers(&fused, &[("framework", "tokenspeed"), ("stage", "decode")])), None);
}

#[test]
fn a_kernel_where_another_kind_runs_stands_for_nothing() {
    let layer = [gemm(), norm(), norm(), attends("acme_turn"), stores(STORE), gemm()];
    let seen = layers(&layer, &SGLANG);
    assert_eq!(note(&seen), None);
    assert_eq!(lost(&seen, "sglang/qk-norm-rope"), "acme_turn stands where another kind runs: attention");
}

#[test]
fn a_kernel_that_is_known_is_no_near_miss() {
    let layer = [gemm(), norm(), norm(), gemm(), stores(STORE), attends(ATTENTION), gemm()];
    assert_eq!(note(&layers(&layer, &SGLANG)), None);
}

#[test]
fn what_does_not_recur_or_does_not_matter_is_no_note() {
    let layer = [gemm(), norm(), norm(), turns("acme_turn"), stores(STORE), attends(ATTENTION), gemm()];
    let seen = times(1, &layer, &SGLANG);
    assert_eq!(note(&seen), None);
    let mut rest = layer.to_vec();
    rest[6].dur_ns = Some(1_000_000);
    let seen = layers(&rest, &SGLANG);
    assert_eq!(note(&seen), None);
    assert!(lost(&seen, "sglang/qk-norm-rope").contains("% of the stage, under 1 %"));
}

#[test]
fn a_family_that_is_off_by_design_is_no_note() {
    let layer = [GEMM, "void vllm::cross_device_reduce_1stage<__nv_bfloat16, 8>(vllm::RankData*)", "acme_norm", GEMM];
    let mut layer = layer.map(replayed);
    layer[2] = CaseLaunch { kernel: "acme_scale".into(), ..norm() };
    let with_tp = |tp| [&SGLANG[..], &[("tp", tp)]].concat();
    assert_eq!(note(&layers(&layer, &with_tp("1"))), None);
    assert!(note(&layers(&layer, &with_tp("8"))).is_some());
}

#[test]
fn a_cluster_near_nothing_is_a_new_candidate() {
    let layer = [GEMM, "acme_one", "acme_two", GEMM].map(replayed);
    let seen = layers(&layer, &SGLANG);
    assert_eq!((note(&seen), seen.candidates.len()), (None, 1));
    let candidate = &seen.candidates[0];
    assert_eq!((candidate.occurrences, candidate.launches.len()), (4, 2));
    let mut uneven = layer;
    uneven[1].dur_ns = Some(9_000);
    assert_eq!(layers(&uneven, &SGLANG).candidates, [], "the second would save little");
    // One kernel is none, nor is what a row or a note speaks of.
    assert_eq!(layers(&[GEMM, "acme_one", GEMM].map(replayed), &SGLANG).candidates, []);
    let near = [gemm(), turns("acme_turn"), stores("acme_put"), attends(ATTENTION), gemm()];
    assert_eq!(layers(&near, &SGLANG).candidates, []);
}

#[test]
fn the_roles_name_terms_and_categories_that_there_are() {
    for term in &RULES.similarity.vague {
        assert!(RULES.terms.iter().any(|known| known.name == *term), "no term {term}");
    }
    for role in &RULES.similarity.roles {
        for term in &role.terms {
            assert!(RULES.terms.iter().any(|known| known.name == *term), "{}: no term {term}", role.role);
        }
        for category in role.categories.iter().chain(&RULES.similarity.candidates.categories) {
            let known = RULES.categories.iter().any(|known| known.name == *category);
            assert!(known || category == "other", "{}: no category {category}", role.role);
        }
    }
}
