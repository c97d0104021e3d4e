use super::*;
use crate::rules::schema::names::Names;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let names: Names = serde_yaml::from_str(include_str!("../../rules/names.yaml")).expect("rules/names.yaml loads");
    names.into()
});

/// Names of MI300X, H100, B200 and V100 runs, as their traces have them.
const REAL: &str = include_str!("tests/names.txt");

const ADD_NORM: &str =
    "_ZN5aiter24add_rmsnorm_quant_kernelIDF16bDF16bLi256ELi16ELb1ELb0ELb1ELi1EEEvPT0_PT_PfS4_S4_S4_diiiiiiib";
const ACT_AND_MUL: &str =
    "_ZN7sgl_hip10activation18act_and_mul_kernelI14__hip_bfloat16TnPFT_RKS3_EXadL_Z4siluIS2_ES3_S5_EEEEvPS3_PS4_i";
const NOCAST_COPY: &str = "void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const::{lambda()#12}::operator()() const::{lambda(c10::BFloat16)#1}>(at::TensorIteratorBase&, at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const::{lambda()#12}::operator()() const::{lambda(c10::BFloat16)#1} const&)::{lambda(int)#1}>(int)";

fn parse(raw: &str) -> KernelName {
    KernelName::parse(raw, &SETTINGS)
}

fn real() -> Vec<KernelName> {
    REAL.lines().map(parse).collect()
}

/// `name(argument)`.
fn is_named(raw: &str, argument: &str) -> bool {
    parse(raw).matches_words(&words(argument, &SETTINGS))
}

/// `targs(argument)`.
fn has_targs(raw: &str, argument: &str) -> bool {
    parse(raw).targs_match_words(&words(argument, &SETTINGS))
}

/// `inductor(arguments)`.
fn is_fused_of(raw: &str, ops: &[&str]) -> bool {
    let ops: Vec<String> = ops.iter().map(|op| (*op).to_owned()).collect();
    parse(raw).has_ops(&ops, &SETTINGS)
}

#[test]
fn real_names_give_these_identifiers_and_words() {
    let mut table = String::new();
    for name in real() {
        let _ = writeln!(table, "{:.90}", name.demangled);
        let _ = write!(table, "    {}", name.identifier);
        if let Some(launcher) = &name.launcher {
            let _ = write!(table, "  [{launcher}]");
        }
        let _ = writeln!(table, "\n    {}", name.words.join(" "));
        if let Some(ops) = &name.inductor {
            let _ = writeln!(table, "    ops: {}", ops.join(" "));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_mangled_name_is_the_name_it_was_made_from() {
    let name = parse(ADD_NORM);
    assert_eq!(name.identifier, "aiter::add_rmsnorm_quant_kernel");
    assert_eq!(name.template_args, ["__bf16", "__bf16", "256", "16", "true", "false", "true", "1"]);
    let printed =
        "void aiter::add_rmsnorm_quant_kernel<__hip_bfloat16, __hip_bfloat16, 256, 16, true, false, true, 1>(int)";
    for raw in [ADD_NORM, printed] {
        assert!(
            parse(raw).targ_is(4, "true") && parse(raw).targ_is(2, "256") && !parse(raw).targ_is(5, "true"),
            "{raw}"
        );
        assert!(is_named(raw, "add_rms_norm"), "{raw}");
    }
}

#[test]
fn a_mangled_name_that_no_demangler_reads_is_read_by_its_lengths() {
    let name = parse(ACT_AND_MUL);
    assert_eq!(name.identifier, "sgl_hip::activation::act_and_mul_kernel");
    assert_eq!(name.template_args, ["__hip_bfloat16", "silu"]);
    assert!(has_targs(ACT_AND_MUL, "silu"));
    assert!(!has_targs(ACT_AND_MUL, "gelu"));
}

#[test]
fn a_mangled_name_that_was_cut_short_keeps_what_it_says() {
    for end in 10..ADD_NORM.len() {
        let name = parse(&ADD_NORM[..end]);
        assert!(
            "aiter::add_rmsnorm_quant_kernel".starts_with(&name.identifier),
            "{}: {}",
            &ADD_NORM[..end],
            name.identifier
        );
    }
    let cut = parse(&ADD_NORM[..70]);
    assert_eq!(cut.identifier, "aiter::add_rmsnorm_quant_kernel");
    assert!(cut.targ_is(4, "true"), "{:?}", cut.template_args);
    let launched = parse("_ZN7ck_tile6kentryILi2ENS_38FmhaBatchPrefillWithPagedKVCacheKernelINS_40BlockFmhaBatchPref");
    assert_eq!(launched.identifier, "FmhaBatchPrefillWithPagedKVCacheKernel");
}

#[test]
fn a_greater_sign_in_parentheses_closes_no_argument_list() {
    let name = parse(
        "std::enable_if<(((8)>(0)))&&vllm::_typeConvert<c10::BFloat16>::exists, void>::type \
         vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*, long)",
    );
    assert_eq!(name.identifier, "vllm::fused_add_rms_norm_kernel");
    assert_eq!(name.template_args, ["c10::BFloat16", "8"]);
    assert_eq!(parse("void f<(a<(b)), g<int>>(int)").template_args, ["(a<(b))", "g<int>"]);
    assert_eq!(parse("void ns::operator<(int)").identifier, "ns::operator<");
}

#[test]
fn return_types_parameters_and_qualifiers_are_no_part_of_the_identifier() {
    for (raw, identifier) in [
        ("void f(int)", "f"),
        ("unsigned int ns::f<1>(std::function<void (int)>) const", "ns::f"),
        ("void (anonymous namespace)::f<long>(long*)", "(anonymous namespace)::f"),
        ("void ns::f<int>(int) [clone .kd]", "ns::f"),
        ("f.kd", "f"),
        ("Memcpy DtoD (Device -> Device)", "Memcpy DtoD (Device -> Device)"),
        ("Memset (Device)", "Memset (Device)"),
        ("ncclDevKernel_Generic(ncclDevKernelArgsStorage<4096ul>)", "ncclDevKernel_Generic"),
        ("ns::f(int)::{lambda(float)#1}::operator()(float) const", "ns::f"),
        ("ns::F<int>::operator()(float) const", "ns::F"),
        ("void f<ns::g<int", "f"),
        ("  spaced \t out ", "out"),
        ("", "?"),
        ("<>", "<>"),
        ("::", "::"),
        ("operator()", "operator()"),
        ("{lambda()#1}", "{lambda()#1}"),
    ] {
        assert_eq!(parse(raw).identifier, identifier, "{raw:?}");
    }
}

#[test]
fn a_launcher_takes_the_name_of_its_functor() {
    let copy = parse(NOCAST_COPY);
    assert_eq!(copy.identifier, "at::native::direct_copy_kernel_cuda");
    assert_eq!(copy.launcher.as_deref(), Some("at::native::elementwise_kernel"));
    assert!(has_targs(NOCAST_COPY, "nocast") && has_targs(NOCAST_COPY, "gpu_kernel_impl_nocast"));
    for (raw, identifier) in [
        (
            "void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<long>, std::array<char*, 1ul> >(int)",
            "at::native::FillFunctor",
        ),
        (
            "void at::native::vectorized_elementwise_kernel<4, at::native::BUnaryFunctor<at::native::AddFunctor<long> >, at::detail::Array<char*, 2> >(int)",
            "at::native::AddFunctor",
        ),
        (
            "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<int> > >(int)",
            "flash::FlashAttnFwdSm90",
        ),
        // Without arguments there is no functor to ask.
        ("at::native::vectorized_elementwise_kernel", "at::native::vectorized_elementwise_kernel"),
        // No launcher: a name that only ends like one.
        ("void vllm::merge_reduce_kernel<ns::Op<int> >(int)", "vllm::merge_reduce_kernel"),
    ] {
        assert_eq!(parse(raw).identifier, identifier, "{raw}");
    }
}

#[test]
fn words_match_whole_and_in_a_row() {
    for (raw, yes) in [
        ("rotary_embedding_kernel", "rotary"),
        ("fused_mrope_rms_kv_kernel", "mrope"),
        ("(anonymous namespace)::store_kvcache", "store_kvcache"),
        ("(anonymous namespace)::store_kvcache", "kv_cache"),
        ("vllm::rms_norm_kernel", "vllm::rms_norm"),
        (ADD_NORM, "rms_norm"),
        ("ampere_sgemm_128x64_nn", "gemm"),
        ("igemm_fwd_gtcx2_nhwc_bf16", "gemm"),
        ("void splitKreduce_kernel<float>(int)", "split_k_reduce"),
        ("tensorrt_llm::kernels::quantize_with_block_size", "quant"),
        ("bmm_MxE4m3_MxE2m1MxE4m3_Fp32_t128x16x256u2", "mx_e"),
        ("moe_topk_kernel", "top_k"),
        ("gatherTopK", "topk"),
        ("ncclKernel_AllReduce_RING_LL_Sum_float(ncclWorkElem)", "all_reduce"),
        ("flashinfer::norm::QKRMSNormKernel", "rms_norm"),
        ("Memcpy DtoD (Device -> Device)", "DtoD"),
        ("void at::native::elementwise_kernel_with_index", "elementwise"),
    ] {
        assert!(is_named(raw, yes), "{yes} in {raw}: {:?}", parse(raw).words);
    }
    for (raw, no) in [
        ("property_kernel", "rope"),
        ("microperf_kernel", "rope"),
        ("fused_mrope_rms_kv_kernel", "rope"),
        ("get_mla_kv_buffer_kernel_norope", "rope"),
        ("metadata_kernel", "ada"),
        ("layer_norm_kernel", "rms_norm"),
        ("rms_scale_norm_kernel", "rms_norm"),
        ("dequantize_weights", "quant"),
        ("void pytorch_flash::flash_fwd_kernel<cutlass::bfloat16_t>(int)", "cutlass"),
        ("Memcpy DtoH (Device -> Pinned)", "DtoD"),
        ("anything", ""),
    ] {
        assert!(!is_named(raw, no), "{no} in {raw}: {:?}", parse(raw).words);
    }
}

#[test]
fn words_of_two_template_arguments_stand_in_no_row() {
    let raw = "void f<ns::Kind<rms>, norm, float>(int)";
    assert!(has_targs(raw, "rms") && has_targs(raw, "norm") && has_targs(raw, "ns_kind"));
    assert!(!has_targs(raw, "rms_norm") && !has_targs(raw, "kind_rms"));
}

#[test]
fn a_typed_constant_is_its_value() {
    let name = parse("void f<1024u, (ns::Kind)1, -2l, true>(int)");
    for (at, text) in [(0, "1024"), (0, "1024u"), (1, "1"), (1, "(ns::Kind)1"), (2, "-2"), (3, "true")] {
        assert!(name.targ_is(at, text), "{at} {text}");
    }
    assert!(!name.targ_is(3, "1") && !name.targ_is(4, "true"));
}

#[test]
fn an_inductor_name_is_a_list_of_ops_and_not_words() {
    let raw = "triton_red_fused__to_copy_add_addmm_mul_native_layer_norm_pow_rsqrt_mean_31";
    let name = parse(raw);
    let ops = name.inductor.clone().unwrap_or_default();
    assert_eq!(ops, ["_to_copy", "add", "addmm", "mul", "native_layer_norm", "pow", "rsqrt", "mean"]);
    assert_eq!(name.words, ["triton", "red", "fused"]);
    assert_eq!(name.name_text(), "triton_red_fused");
    assert!(is_fused_of(raw, &["rsqrt", "mean"]) && is_fused_of(raw, &["to_copy"]));
    assert!(!is_fused_of(raw, &["layer_norm"]), "native_layer_norm is one op");
    assert!(!is_fused_of(raw, &["rsqrt", "silu"]));
    assert!(!is_named(raw, "addmm") && !is_named(raw, "layer_norm"));
    // The signature of old versions is no op; an op that no one told us of is found by its parts.
    let old = "triton_poi_fused_my_op_add_4_0d1d2d3de";
    assert_eq!(parse(old).inductor.unwrap_or_default(), ["my", "op", "add"]);
    assert!(is_fused_of(old, &["my_op", "add"]) && !is_fused_of(old, &["op_my"]));
    // A hand-written kernel with the same beginning is none.
    for raw in ["triton_fused_store_indexer_kernel", "_triton_poi_fused_add_1", "triton_gdn_fused"] {
        assert_eq!(parse(raw).inductor, None, "{raw}");
    }
}

#[test]
fn short_forms_tell_apart_what_is_apart() {
    let names = real();
    let names: Vec<&KernelName> = names.iter().collect();
    let distinct = names.iter().map(|name| &name.demangled).collect::<HashSet<_>>().len();
    for width in [24, 32, 40, 56, 80, 120] {
        let forms = shorten(&names, width);
        let wide = forms.iter().filter(|form| unicode_width::UnicodeWidthStr::width(form.as_str()) > width);
        assert_eq!(wide.collect::<Vec<_>>(), Vec::<&String>::new());
        assert_eq!(forms.iter().collect::<BTreeSet<_>>().len(), distinct, "{width}");
    }
    insta::assert_snapshot!(shorten(&names, 48).join("\n"));
}

#[test]
fn short_forms_show_the_template_arguments_that_differ() {
    let aiter = |args: &str| parse(&format!("void aiter::add_rmsnorm_quant_kernel<__bf16, {args}, 1>(int)"));
    let (plain, add, head) = (aiter("256, 16, false"), aiter("256, 16, true"), aiter("64, 8, false"));
    assert_eq!(
        shorten(&[&plain, &add, &head, &add], 60),
        [
            "aiter::add_rmsnorm_quant_kernel<256, 16, false>",
            "aiter::add_rmsnorm_quant_kernel<256, 16, true>",
            "aiter::add_rmsnorm_quant_kernel<64, 8, false>",
            "aiter::add_rmsnorm_quant_kernel<256, 16, true>",
        ]
    );
    assert_eq!(shorten(&[&plain], 60), ["aiter::add_rmsnorm_quant_kernel"]);
    assert_eq!(shorten(&[&plain], 24), ["add_rmsnorm_quant_kernel"]);
}

#[test]
fn short_forms_of_gemms_keep_the_tile() {
    let tail = "_MI16x16x1_SN_LDSB1_AFC1_AFEM1_ASEM1_CLR1_CADS0_DTLA0_DTLB0_DTVA0_DTVB0_EPS0_FDSI0_GRPM1";
    let tiles = ["MT320x224x64", "MT320x192x64"];
    let names = tiles.map(|tile| parse(&format!("Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_{tile}{tail}")));
    let forms = shorten(&[&names[0], &names[1]], 40);
    for (form, tile) in forms.iter().zip(tiles) {
        assert!(form.starts_with("Cijk_Alik") && form.contains(tile), "{form}");
    }
    assert_eq!(shorten(&[&names[0]], 40), ["Cijk_Alik_Bljk_BBS_BH_Bias…MT320x224x64…"]);
}

/// Twice the length takes about twice the time: a scan that looks back would take many minutes here. The bound is wide, as
/// a busy machine may take a minute for what is right.
/// Names go into tables: what has no width or moves the cursor is shown as a sign, so that columns can be counted.
#[test]
fn nothing_in_a_name_is_hidden() {
    let name = parse("quantize_\0\0with\u{1b}c_\u{202e}block\u{200b}_size");
    assert_eq!(name.identifier, "quantize_\u{fffd}\u{fffd}with\u{fffd}c_\u{fffd}block\u{fffd}_size");
    let long = parse(&format!("quantize_{}with_block_size", "\0".repeat(200)));
    let [short] = &shorten(&[&long], 24)[..] else { panic!("one name, one form") };
    assert!(unicode_width::UnicodeWidthStr::width(short.as_str()) <= 24, "{short}");
}

#[test]
fn long_names_take_linear_time() {
    let long = |part: &str| part.repeat(1_000_000 / part.len());
    let start = Instant::now();
    for part in [
        "<",
        ">",
        "(",
        ")",
        "<)",
        "(>",
        "a<",
        "::",
        "a::",
        "f<int>::",
        " ",
        "a ",
        "operator",
        "operator<",
        "_",
        "Aa",
        "x1_",
        ",",
        "{",
        "}(",
        "const ",
        " const",
        "é",
        "(anonymous namespace)::",
        "a<b,",
    ] {
        let text = long(part);
        for raw in
            [text.clone(), format!("void f<{text}>(int)"), format!("triton_poi_fused_{text}_1"), format!("_ZN1f{text}")]
        {
            let name = parse(&raw);
            assert!(!name.identifier.is_empty());
            shorten(&[&name], 40);
        }
    }
    for part in ["1a", "I1a", "IL", "NS", "1aI1bE", "Tn", "X", "J", "PK", "IJ1aE", "S_", "Lb1E"] {
        let name = parse(&format!("_ZN1f1gI{}", long(part)));
        assert!(name.identifier.starts_with("f::g"), "{part}");
    }
    assert!(start.elapsed() < Duration::from_mins(3), "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn any_text_has_an_identifier(raw in ".{0,200}") {
        prop_assert!(!parse(&raw).identifier.is_empty());
    }

    #[test]
    fn any_brackets_have_an_identifier(raw in "[a-zA-Z0-9_:<>(){}, *&'\\[\\]-]{0,120}") {
        let name = parse(&raw);
        prop_assert!(!name.identifier.is_empty());
        let twice = shorten(&[&name, &name], 30);
        prop_assert_eq!(&twice[0], &twice[1]);
    }

    #[test]
    fn anything_mangled_has_an_identifier(tail in "[NIELSTXJPKRbifvd0-9a-cZ_]{0,80}") {
        let name = parse(&format!("_Z{tail}"));
        prop_assert!(!name.identifier.is_empty());
    }

    #[test]
    fn a_cut_name_has_an_identifier(which in 0..118_usize, end in 0..2000_usize) {
        let raw = REAL.lines().nth(which).unwrap_or_default();
        let cut: String = raw.chars().take(end).collect();
        prop_assert!(!parse(&cut).identifier.is_empty());
    }

    #[test]
    fn short_forms_fit_and_differ(names in prop::collection::btree_set("[a-c]{1,3}(::[a-c]{1,30})?(<[a-c, <>]{0,20}>)?", 1..12), width in 24..60_usize) {
        let names: Vec<KernelName> = names.iter().map(|name| parse(name)).collect();
        let distinct: BTreeSet<&str> = names.iter().map(|name| name.demangled.as_str()).collect();
        let forms = shorten(&names.iter().collect::<Vec<_>>(), width);
        prop_assert!(forms.iter().all(|form| unicode_width::UnicodeWidthStr::width(form.as_str()) <= width));
        prop_assert_eq!(forms.iter().collect::<BTreeSet<_>>().len(), distinct.len());
    }
}
