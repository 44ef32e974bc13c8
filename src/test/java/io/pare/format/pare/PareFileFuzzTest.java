package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.ImageShape;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Model;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.RandomNets;
import io.pare.rewrite.UnitOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Damaged files, with a checksum that is right all the same: what is read of them must run, too. */
class PareFileFuzzTest {
    private static final int FRAME_BYTES = 9;
    /** A prediction of so many multiply-adds and values takes a fraction of a second. */
    private static final long QUICK = 20_000_000;

    private static List<byte[]> seeds() {
        Model odd = new Model("odd", new ImageShape(2, 8, 9), 6,
                List.of(new Conv2d("first", 2, 6, 3, 2, 2, 1, 1, 2), new Relu("relu1"), new MaxPool("pool1", 2, 1, 1),
                        new Flatten("flatten"), new Linear("last", 6 * 5 * 6, 6)));
        List<byte[]> seeds = new ArrayList<>(
                List.of(PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3)),
                        PareFile.encode(PrunedNets.lenet5(Map.of("conv1.weight", 30, "conv2.weight", 60,
                                "fc1.weight", 80, "fc2.weight", 40), 0, 1, 3)),
                        PareFile.encode(UnitOrder.sort(PrunedNets.lenet5(Map.of("conv1.weight", 90, "conv2.weight",
                                500, "fc1.weight", 300, "fc2.weight", 150), 4, 1.5, 3))),
                        PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 90), 6, 0, 3)),
                        PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 0), 1, 0, 3)),
                        PareFile.encode(PrunedNets.of(PrunedNets.RESIDUAL, Map.of(), 3, 0, 3))));
        for (int i = 0; i < 12; i++) {
            seeds.add(PareFile.encode(RandomNets.of(i)));
        }
        return seeds;
    }

    private static byte[] seal(byte[] file) {
        byte[] framed = file.length < FRAME_BYTES ? Arrays.copyOf(file, FRAME_BYTES) : file;
        System.arraycopy(new byte[]{'P', 'A', 'R', 'E', PareFile.VERSION}, 0, framed, 0, 5);
        return PareFileTest.reseal(framed);
    }

    private static void read(byte[] file) {
        CompressedWeights weights = PareFile.decode(file);
        Model model = weights.model();
        try (CompressedModel compressed = CompressedModel.of(weights)) {
            if (work(weights) < QUICK) {
                compressed.predict(new float[model.input().features()]);
            }
        }
    }

    /** Values, and products of each weight with the pixels of its layer's output. */
    private static long work(CompressedWeights weights) {
        long work = weights.model().input().features();
        for (Model.Step step : weights.model().steps()) {
            long area = (long) step.output().height() * step.output().width();
            long window = switch (step.layer()) {
                case MaxPool pool -> (long) pool.kernel() * pool.kernel();
                case AvgPool pool -> (long) pool.kernel() * pool.kernel();
                default -> 10;
            };
            work += (long) step.output().features() * window + 4L * step.input().features();
            for (Parameter parameter : step.layer().parameters()) {
                work += area * weights.tensor(parameter.name()).nonzeros();
            }
        }
        return work;
    }

    /** Damaged files, and others that were never one. */
    private static byte[] input(Mutations mutations, long number) {
        if (number % 4 > 0) {
            return mutations.apply(number);
        }
        byte[] noise = new byte[FRAME_BYTES + new SplittableRandom(number).nextInt(64)];
        new SplittableRandom(~number).nextBytes(noise);
        return seal(noise);
    }

    private static Fuzz fuzz() {
        Mutations mutations = Mutations.of(seeds()).damagingMostly(60).sealedBy(PareFileFuzzTest::seal);
        return Fuzz.of(".pare", number -> input(mutations, number), PareFileFuzzTest::read, FormatException.class,
                IllegalArgumentException.class);
    }

    @Test
    void damagedFilesRunOrAreRefused() {
        fuzz().run(1500);
    }

    @Test
    @Tag("long")
    void manyDamagedFilesRunOrAreRefused() {
        fuzz().runLong();
    }

    /** Twenty bytes that declare an image of 80 million values, and no layer. */
    @Test
    void networksOfMoreValuesThanAreMeantAreRefused() {
        assertTrue(assertThrows(FormatException.class, () -> PareFile.checkSize(
                new Model("wide", new ImageShape(79_800_000, 1, 1), 79_800_000, List.of()))).getMessage()
                .contains("values for a sample"));
        Model padded = new Model("padded", new ImageShape(500_000, 1, 1), 500_000,
                List.of(new AvgPool("pool1", 14, 14, 11)));
        assertThrows(FormatException.class, () -> PareFile.checkSize(padded));
    }
}
