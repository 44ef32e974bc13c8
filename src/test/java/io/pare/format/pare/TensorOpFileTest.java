package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.infer.ReferenceNet;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.RandomNets;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.rewrite.DeadPaths;
import io.pare.tensor.TensorCases;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators on tensors in .pare files. */
class TensorOpFileTest {
    @ParameterizedTest
    @MethodSource("io.pare.tensor.TensorCases#all")
    void operatorsComeBack(TensorCases.Case of) {
        BitCoder.Writer writer = new BitCoder.Writer();
        new RecordCoder(writer).code(of.op());
        byte[] coded = writer.finish();
        assertEquals(of.op(), new RecordCoder(new BitCoder.Reader(coded, 0, coded.length)).code(null));
    }

    /** The page has every operator under its number, with its components, and every constant in its place. */
    @Test
    void thePageOfTheFormatSaysWhatIsCoded() throws IOException {
        String page = Files.readString(Path.of("docs", "format.md"));
        for (int i = 0; i < RecordCoder.KINDS.size(); i++) {
            Class<?> kind = RecordCoder.KINDS.get(i);
            String start = "| " + i + " | `" + kind.getSimpleName() + "` | ";
            String row = page.lines().filter(line -> line.startsWith(start)).findFirst()
                    .orElseThrow(() -> new AssertionError("no row " + start));
            String names = Arrays.stream(kind.getRecordComponents()).map(RecordComponent::getName)
                    .collect(Collectors.joining(" "));
            assertEquals(names, Arrays.stream(row.substring(start.length(), row.length() - 2).split(", "))
                    .map(part -> part.substring(part.indexOf(' ') + 1)).filter(name -> !name.equals("nothing"))
                    .collect(Collectors.joining(" ")));
            for (RecordComponent component : kind.getRecordComponents()) {
                if (component.getType().isEnum()) {
                    assertTrue(page.contains("| `" + component.getType().getSimpleName() + "` | "
                            + Arrays.stream(component.getType().getEnumConstants()).map(constant -> ((Enum<?>) constant)
                                    .name()).collect(Collectors.joining(", "))
                            + " |"), component.toString());
                }
            }
        }
    }

    private static CompressedWeights weights(Net net, Map<String, float[]> known) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        Random random = new Random(2);
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.put(parameter.name(),
                    CompressedTensor.of(known.getOrDefault(parameter.name(), values), parameter.shape()));
        }
        return new CompressedWeights(net, tensors, InputScale.UNIT);
    }

    private static void assertComesBack(CompressedWeights weights) {
        CompressedWeights back = PareFile.decode(PareFile.encode(weights));
        assertEquals(weights.model(), back.model());
        weights.tensors().forEach((name, tensor) -> assertTrue(tensor.sameAs(back.tensor(name)), name));
    }

    /** Channel 1 is not read, but the slopes are those of columns, of which there are as many. */
    @Test
    void slopesOfAnotherAxisThanUnitsAreKept() {
        Net net = new NetBuilder("columns", Shape.of(3, 2, 3)).add("slopes", new TensorOp.PRelu(Shape.of(3)))
                .linear("fc", 1).build();
        float[] read = new float[18];
        Arrays.fill(read, 0, 6, 1);
        Arrays.fill(read, 12, 18, 1);
        assertComesBack(weights(net, Map.of("fc.weight", read, "slopes.slope", new float[]{1, 2, 3})));
    }

    @Test
    void linearLayersBehindFourAxesAndConstantsComeBack() {
        NetBuilder net = new NetBuilder("four", Shape.of(2, 3, 2, 4));
        int constant = net.add("constant", new TensorOp.Constant(Shape.of(2, 4)), List.of()).at();
        Net model = net.add("sum", new TensorOp.Zip(Pairwise.ADD), List.of(0, constant)).linear("fc", 3).build();
        assertComesBack(weights(model, Map.of()));
    }

    /** NOT of what is unknown is no constant, and an infinite one fits into no bias. */
    @Test
    void unknownValuesAreNotFolded() {
        for (Pointwise function : List.of(Pointwise.NOT, Pointwise.LOG, Pointwise.RECIPROCAL)) {
            Net net = new NetBuilder("unknown", Shape.of(3)).linear("fc1", 2).add("map", TensorOp.Map.of(function))
                    .linear("fc2", 2).build();
            // One unit gives 0, the other depends on the input.
            CompressedWeights weights = weights(net, Map.of("fc1.weight", new float[]{0, 0, 0, 1, -1, 0.5f},
                    "fc1.bias", new float[]{0, 0}));
            try (Region region = Region.confined("unknown")) {
                Map<String, FloatTensor> parameters = weights.dense(region);
                DeadPaths.remove(net, parameters);
                CompressedWeights after = CompressedWeights.of(net, parameters, weights.scale());
                float[] x = {0, 0.5f, 1};
                assertArrayEquals(new ReferenceNet(weights).logits(x), new ReferenceNet(after).logits(x), 1e-6);
            }
        }
    }

    @Test
    void operatorsThatCannotBeAreRefused() {
        for (Stream<Runnable> bad : List.<Stream<Runnable>>of(Stream.of(() -> new TensorOp.Join(0, 0),
                () -> new TensorOp.Projection(0, 1, true), () -> new TensorOp.Embedding(1, -1),
                () -> new TensorOp.Reduce(Reduction.SUM, List.of(), true),
                () -> new TensorOp.Reduce(Reduction.SUM, List.of(1, 0), true),
                () -> new TensorOp.LayerNorm(List.of(2), Float.NaN), () -> new TensorOp.GroupNorm(2, 0, 0),
                () -> Op.BatchNorm.of(3).output(List.of(Shape.of(3, 2)))))) {
            bad.forEach(one -> assertThrows(IllegalArgumentException.class, one::run));
        }
    }

    /** Damaged networks of random operators are refused in words, or make a network. */
    @Test
    void damagedFilesAreRefused() {
        Random random = new Random(4);
        Set<String> refusals = new TreeSet<>();
        for (int seed = 0; seed < 60; seed++) {
            byte[] file = PareFile.encode(RandomNets.graph(seed));
            for (int i = 0; i < 40; i++) {
                byte[] broken = file.clone();
                broken[5 + random.nextInt(Math.min(60, file.length - 9))] ^= (byte) (1 << random.nextInt(8));
                try {
                    PareFile.decode(PareFileTest.reseal(broken));
                } catch (FormatException e) {
                    refusals.add(e.getMessage());
                }
            }
        }
        assertTrue(refusals.size() > 20, refusals.toString());
        refusals.forEach(refusal -> assertTrue(!refusal.contains("\n"), refusal));
    }
}
