package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import io.pare.infer.CompressedModel;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.net.RandomNets;
import io.pare.net.Shape;
import io.pare.net.Window;
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
        Net odd =
                new NetBuilder("odd", Shape.of(2, 8, 9))
                        .add("first", new Conv2d(2, 6, Window.uniform(3, 2, 2, 1, 1), 2, true)).relu("relu1")
                        .maxPool("pool1", 2, 1, 1).flatten("flatten").add("last", new Linear(6 * 5 * 6, 6)).build();
        List<byte[]> seeds = new ArrayList<>(
                List.of(PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3)),
                        PareFile.encode(PrunedNets.lenet5(Map.of("conv1.weight", 30, "conv2.weight", 60,
                                "fc1.weight", 80, "fc2.weight", 40), 0, 1, 3)),
                        PareFile.encode(UnitOrder.sort(PrunedNets.lenet5(Map.of("conv1.weight", 90, "conv2.weight",
                                500, "fc1.weight", 300, "fc2.weight", 150), 4, 1.5, 3))),
                        PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 90), 6, 0, 3)),
                        PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 0), 1, 0, 3)),
                        PareFile.encode(PrunedNets.of(PrunedNets.RESIDUAL, Map.of(), 3, 0, 3))));
        seeds.add(PareFileTest.scaled());
        seeds.add(PareFileTest.tables(1024, 32, 0.25));
        seeds.add(PareFileTest.tables(300, 120, 1));
        for (int i = 0; i < 12; i++) {
            seeds.add(PareFile.encode(RandomNets.of(i)));
            seeds.add(PareFile.encode(RandomNets.windows(i)));
        }
        return seeds;
    }

    private static byte[] seal(byte[] file) {
        byte[] framed = file.length < FRAME_BYTES ? Arrays.copyOf(file, FRAME_BYTES) : file;
        int version = 1 + Math.floorMod(framed[4] - 1, PareFile.VERSION);
        System.arraycopy(new byte[]{'P', 'A', 'R', 'E', (byte) version}, 0, framed, 0, 5);
        return PareFileTest.reseal(framed);
    }

    private static void read(byte[] file) {
        CompressedWeights weights = PareFile.decode(file);
        Net model = weights.model();
        try (CompressedModel compressed = CompressedModel.of(weights)) {
            if (work(weights) < QUICK) {
                compressed.predict(new float[model.input().features()]);
            }
        }
    }

    /** Values, and products of each weight with the pixels of its layer's output. */
    private static long work(CompressedWeights weights) {
        long work = weights.model().input().features();
        for (Node step : weights.model().layers()) {
            long area = (long) step.output().height() * step.output().width();
            long window = switch (step.op()) {
                case MaxPool pool -> pool.window().taps();
                case AvgPool pool -> pool.window().taps();
                default -> 10;
            };
            work += (long) step.output().features() * window + 4L * weights.model().inputs(step).getFirst().features();
            for (Parameter parameter : step.parameters()) {
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
                new NetBuilder("wide", Shape.of(79_800_000, 1, 1)).build())).getMessage()
                .contains("values for a sample"));
        Net padded = new NetBuilder("padded", Shape.of(500_000, 1, 1)).add("pool1", AvgPool.of(14, 14, 11)).build();
        assertThrows(FormatException.class, () -> PareFile.checkSize(padded));
    }
}
