package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OrtException;
import io.pare.infer.ReferenceNet;
import io.pare.infer.ReferenceNet.Bounded;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.tensor.TensorCases.Case;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** ONNX Runtime computes of every operator on tensors what the oracle does, within its bounds. */
class OnnxTensorOpsTest {
    private static final int BATCH = 3;

    @ParameterizedTest
    @MethodSource("io.pare.tensor.TensorCases#all")
    void inputsOfEachSample(Case of) throws OrtException {
        check(of, -1);
    }

    /** An input that is the same for all samples: its batch is one. */
    @ParameterizedTest
    @MethodSource("io.pare.tensor.TensorCases#all")
    void inputsOfAllSamples(Case of) throws OrtException {
        for (int i = 0; of.shapes().size() > 1 && i < of.shapes().size(); i++) {
            check(of, i);
        }
    }

    /** @param constant the input that is a constant, or -1 */
    private static void check(Case of, int constant) throws OrtException {
        Random random = new Random(3);
        Map<String, float[]> constants = new LinkedHashMap<>();
        int features = 0;
        for (int i = 0; i < of.shapes().size(); i++) {
            features += i == constant ? 0 : of.shapes().get(i).features();
        }
        NetBuilder net = new NetBuilder("one", Shape.of(Math.max(1, features)));
        List<Integer> inputs = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < of.shapes().size(); i++) {
            Shape shape = of.shapes().get(i);
            if (i == constant) {
                net.add("in" + i, new TensorOp.Constant(shape), List.of());
                constants.put("in" + i + ".value", values(of, i, shape.features(), random));
            } else {
                net.from(0).add("part" + i, new TensorOp.Slice(List.of(at), List.of(1), shape.flat()));
                net.add("in" + i, new TensorOp.Reshape(shape));
                at += shape.features();
            }
            inputs.add(net.at());
        }
        net.add("op", of.op(), inputs);
        if (inputs.isEmpty()) {
            net.add("sum", new TensorOp.Zip(Pairwise.ADD), List.of(0, net.at()));
        }
        Net model = net.build();
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            float[] known = constants.get(parameter.name());
            tensors.put(parameter.name(), CompressedTensor.of(known != null
                    ? known
                    : values(of, of.shapes().size(), (int) parameter.count(), random), parameter.shape()));
        }
        CompressedWeights weights = new CompressedWeights(model, tensors, InputScale.UNIT);
        float[] samples = new float[BATCH * model.input().features()];
        for (int s = 0; s < BATCH; s++) {
            int place = s * model.input().features();
            for (int i = 0; i < of.shapes().size(); i++) {
                float[] values = values(of, i, i == constant ? 0 : of.shapes().get(i).features(), random);
                System.arraycopy(values, 0, samples, place, values.length);
                place += values.length;
            }
        }
        float[] actual =
                OnnxRuntime.run(OnnxFile.encode(weights, OnnxWeights.FLOATS), samples, BATCH, model.input().features());
        assertEquals(BATCH * model.classes(), actual.length, "outputs of " + of);
        ReferenceNet reference = new ReferenceNet(weights);
        for (int s = 0; s < BATCH; s++) {
            Bounded expected = reference.bounded(Arrays.copyOfRange(samples, s * model.input().features(),
                    (s + 1) * model.input().features()));
            for (int i = 0; i < model.classes(); i++) {
                assertEquals(expected.values()[i], actual[s * model.classes() + i],
                        expected.errors()[i] + Float.MIN_VALUE, of + ": output " + i + " of sample " + s);
            }
        }
    }

    private static float[] values(Case of, int input, int count, Random random) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = of.value(input, random);
        }
        return values;
    }
}
