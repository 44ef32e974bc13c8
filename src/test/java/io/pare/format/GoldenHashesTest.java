package io.pare.format;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.mem.FloatTensor;
import io.pare.mem.ForkedJvm;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.RandomNets;
import io.pare.net.Shape;
import io.pare.rewrite.BatchNormFolding;
import io.pare.rewrite.DeadPaths;
import io.pare.rewrite.UnitOrder;
import io.pare.rewrite.ValueForm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is the same on every machine has the committed hashes of {@code io/pare/golden/hashes.txt}: the bytes of files,
 * the plans of predictions, what plain Java training and prediction compute, and the memory that they plan.
 *
 * <p>Files depend on integers and on float operations that Java defines exactly. Training calls {@code Math.exp}, {@code
 * log} and {@code pow} too, which may differ by an ulp from one kind of processor to another: HotSpot's for x86-64 are one
 * piece of SSE2 code for all processors, and their results were the same with {@code -XX:UseAVX=0}, {@code -XX:UseAVX=2},
 * {@code -XX:-UseFMA} and {@code -XX:TieredStopAtLevel=1}. So training is compared on x86-64 only. Another JDK may bring another code.
 *
 * <p>A hash is renewed only where bits are meant to change: in a commit of its own, which holds the change, the lines that
 * a failure prints, and the reason. A change that is meant to keep all bits and meets a failure here is wrong. Files of
 * before must be read all the same: {@link PareVersion1Test}.
 */
class GoldenHashesTest {
    private static final String COMMITTED = "/io/pare/golden/hashes.txt";
    /** First parts of names, by test. */
    private static final Set<String> FILES = Set.of("pare", "onnx", "safetensors");
    private static final Set<String> PLANS = Set.of("plan");
    private static final Set<String> REWRITES = Set.of("sorted", "folded", "alive");
    private static final Set<String> COMPUTED = Set.of("training", "drawn", "logits", "memory");
    /** Networks with more weights are written with zeros, and only in forms that zeros make small. */
    private static final long LARGE = 440_000;
    private static final long TOO_LARGE = 30_000_000;
    private static final int RANDOM_NETS = 40;

    @TempDir
    Path folder;

    private static Map<String, String> committed() {
        try (InputStream in = GoldenHashesTest.class.getResourceAsStream(COMMITTED)) {
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, String> parse(String text) {
        Map<String, String> hashes = new TreeMap<>();
        text.lines().filter(line -> line.matches("\\w+/\\S+ \\S+")).map(line -> line.split(" "))
                .forEach(parts -> hashes.put(parts[0], parts[1]));
        return hashes;
    }

    private static void check(Set<String> kinds, Map<String, String> actual) {
        Map<String, String> expected = committed();
        expected.keySet().removeIf(name -> !kinds.contains(name.substring(0, name.indexOf('/'))));
        List<String> differences = new ArrayList<>();
        Set<String> names = new TreeSet<>(expected.keySet());
        names.addAll(actual.keySet());
        for (String name : names) {
            String before = expected.get(name);
            String now = actual.get(name);
            if (now == null) {
                differences.add(name + " is committed and was not computed");
            } else if (!now.equals(before)) {
                differences.add(name + " " + now + (before == null ? " (new)" : " (was " + before + ")"));
            }
        }
        assertTrue(differences.isEmpty(), () -> differences.size() + " of " + names.size()
                + " are not as committed in " + COMMITTED + ":\n" + String.join("\n", differences));
    }

    private static long count(Net model) {
        return model.parameters().stream().mapToLong(Parameter::count).sum();
    }

    /** Networks that are small enough for whole files. */
    private static Map<String, CompressedWeights> small() {
        Map<String, CompressedWeights> nets = new LinkedHashMap<>();
        for (String name : Models.recognised()) {
            Net model = Models.byName(name);
            if (count(model) <= LARGE) {
                nets.put(name, GoldenNets.dense(model, 1));
            }
        }
        nets.put("kinds", GoldenNets.dense(GoldenNets.KINDS, 1));
        nets.put("residual", GoldenNets.dense(PrunedNets.RESIDUAL, 1));
        for (Net model : List.of(GoldenNets.KINDS, PrunedNets.RESIDUAL)) {
            for (String form : List.of("k2", "k8", "3", "8", "f16", "f32")) {
                nets.put(model.name() + "-pruned-" + form, GoldenNets.of(model, 2, 0.2, ValueForm.of(form)));
            }
        }
        nets.put("lenet5-pruned-3", GoldenNets.of(Models.lenet5(), 2, 0.08, ValueForm.of("3")));
        nets.put("lenet300-pruned-8", GoldenNets.of(Models.lenet300(), 2, 0.08, ValueForm.of("8")));
        // The exact clusters of many values take long, so they are made of few weights.
        nets.put("lenet5-pruned-k8", GoldenNets.of(Models.lenet5(), 2, 0.01, ValueForm.of("k8")));
        return nets;
    }

    /** Networks of operators on tensors. */
    private static Map<String, CompressedWeights> tensors() {
        Map<String, CompressedWeights> nets = new LinkedHashMap<>();
        nets.put("tensors", GoldenNets.dense(GoldenNets.TENSORS, 1));
        nets.put("tensors-pruned-k8", GoldenNets.of(GoldenNets.TENSORS, 2, 0.3, ValueForm.of("k8")));
        return nets;
    }

    private static Map<String, CompressedWeights> hollow() {
        Map<String, CompressedWeights> nets = new LinkedHashMap<>();
        for (String name : Models.recognised()) {
            Net model = Models.byName(name);
            if (count(model) > LARGE) {
                nets.put(name, GoldenNets.hollow(model, 1));
            }
        }
        nets.put("alexnet-67", GoldenNets.hollow(Models.byName("alexnet", Shape.of(3, 67, 67), 10), 1));
        return nets;
    }

    @Test
    void filesAreAsCommitted() throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        Path file = folder.resolve("net");
        for (Map.Entry<String, CompressedWeights> net : small().entrySet()) {
            for (NetworkFile.Kind kind : NetworkFile.Kind.values()) {
                write(file, net.getValue(), kind);
                String name = switch (kind) {
                    case PARE -> "pare/" + net.getKey();
                    case ONNX -> "onnx/" + net.getKey();
                    case ONNX_CODEBOOK -> "onnx/" + net.getKey() + "-codebook";
                    case SAFETENSORS -> "safetensors/" + net.getKey();
                    case SAFETENSORS_COMPRESSED -> "safetensors/" + net.getKey() + "-compressed";
                };
                hashes.put(name, new GoldenHash().add(Files.readAllBytes(file)).toString());
            }
        }
        tensors().forEach((name, net) -> {
            hashes.put("pare/" + name, new GoldenHash().add(PareFile.encode(net)).toString());
            hashes.put("onnx/" + name, new GoldenHash().add(OnnxFile.encode(net, OnnxWeights.AS_THEY_ARE)).toString());
        });
        hollow().forEach((name, net) -> {
            hashes.put("pare/" + name, new GoldenHash().add(PareFile.encode(net)).toString());
            if (count(net.model()) < TOO_LARGE) {
                hashes.put("onnx/" + name + "-codebook",
                        new GoldenHash().add(OnnxFile.encode(net, OnnxWeights.AS_THEY_ARE)).toString());
            }
        });
        for (int seed = 0; seed < RANDOM_NETS; seed++) {
            CompressedWeights net = RandomNets.of(seed);
            hashes.put("pare/random-" + seed, new GoldenHash().add(PareFile.encode(net)).toString());
            hashes.put("onnx/random-" + seed, onnx(net));
        }
        check(FILES, hashes);
    }

    /** As {@link NetworkFile#write}, without reading what was written. */
    private static void write(Path file, CompressedWeights net, NetworkFile.Kind kind) throws IOException {
        if (kind == NetworkFile.Kind.PARE) {
            Files.write(file, PareFile.encode(net));
        } else {
            NetworkFile.write(file, net, kind);
        }
    }

    /** ONNX files hold fewer forms of networks. */
    private static String onnx(CompressedWeights net) {
        try {
            return new GoldenHash().add(OnnxFile.encode(net, OnnxWeights.AS_THEY_ARE)).toString();
        } catch (IllegalArgumentException | FormatException e) {
            return "refused";
        }
    }

    @Test
    void plansAreAsCommitted() {
        Map<String, String> hashes = new TreeMap<>();
        small().forEach((name, net) -> hashes.put("plan/" + name, plan(net)));
        for (int seed = 0; seed < RANDOM_NETS; seed++) {
            hashes.put("plan/random-" + seed, plan(RandomNets.of(seed)));
        }
        check(PLANS, hashes);
    }

    private static String plan(CompressedWeights net) {
        try (CompressedModel model = CompressedModel.of(net)) {
            GoldenHash hash = new GoldenHash();
            model.describe().forEach(hash::add);
            return hash.toString();
        }
    }

    @Test
    void rewritesAreAsCommitted() {
        Map<String, String> hashes = new TreeMap<>();
        Map<String, CompressedWeights> nets = new LinkedHashMap<>();
        for (Net model : List.of(Models.lenet300(), GoldenNets.KINDS, PrunedNets.RESIDUAL)) {
            nets.put(model.name(), GoldenNets.of(model, 4, 0.01, ValueForm.of("3")));
        }
        for (int seed = 0; seed < RANDOM_NETS; seed++) {
            nets.put("random-" + seed, RandomNets.of(seed));
        }
        nets.forEach((name, net) -> {
            hashes.put("sorted/" + name, hash(UnitOrder.sort(net)));
            hashes.put("folded/" + name, hash(BatchNormFolding.fold(net)));
            hashes.put("alive/" + name, hash(alive(net)));
        });
        check(REWRITES, hashes);
    }

    private static CompressedWeights alive(CompressedWeights net) {
        try (Region region = Region.confined("golden")) {
            Map<String, FloatTensor> parameters = net.dense(region);
            DeadPaths.remove(net.model(), parameters);
            DeadPaths.foldBiases(net.model(), parameters);
            return CompressedWeights.of(net.model(), parameters, net.scale());
        }
    }

    private static String hash(CompressedWeights net) {
        GoldenHash hash = new GoldenHash();
        net.tensors().forEach((name, tensor) -> hash.add(name).add(tensor.toArray()));
        return hash.toString();
    }

    @Test
    @Tag("process")
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    void plainJavaComputesAsCommitted() throws IOException, InterruptedException {
        check(COMPUTED, parse(ForkedJvm.run(folder,
                List.of("-Dpare.kernels=scalar", "-Dpare.native=off", "-Dpare.threads=1"), GoldenTraining.class)));
    }
}
