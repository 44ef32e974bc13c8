package io.pare.run;

import io.pare.compress.Admm;
import io.pare.compress.DividedSets;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.EpochRow;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.natives.NativeThreads;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.train.Checkpoint;
import io.pare.train.Network;
import io.pare.train.Reduction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What {@link ConsensusTest} starts in two processes: the first one prints what they came to. */
final class ConsensusProgram {
    private static final float RHO = 0.5f;
    /** What the loss of each rank draws to: the mean of both is 4, 1, -3, 0.5, 0, 2. */
    private static final float[][] DRAWN = {{6, 3, -1, 1, 1, -9}, {2, -1, -5, 0, -1, 13}};
    private static final Net NORMED = new NetBuilder("normed", Shape.of(1, 8, 8)).conv("conv1", 4, 3, 1, 1, false)
            .norm("norm1").relu("relu1").flatten("flatten").linear("fc1", 10).build();
    private static final Recipe RECIPE = Recipe.parse("apart", """
            name: apart
            train: {epochs: 2, batchSize: 40}
            stages:
              - admm-prune: {keep: {ratio: 4, removeDead: false}, admm: {consensus: true, updatesPerEpoch: 2.5}}
              - mask-retrain: {train: {epochs: 1}}
            """);

    private final Ranks ranks;

    private ConsensusProgram(Ranks ranks) {
        this.ranks = ranks;
    }

    public static void main(String[] args) {
        NativeThreads.set(1);
        ConsensusProgram program = new ConsensusProgram(Ranks.world());
        program.solve();
        program.line(DividedSets.agree(program.ranks));
        try {
            program.compress();
            program.compress();
            program.line("limit " + MemoryFit.shared(program.ranks,
                    program.ranks.first() ? MemoryFit.UNLIMITED : MemoryFit.of(1 << 30)).limit());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Ranks.leave(0);
    }

    /** A tensor whose optimiser is this program. */
    private record Free(String name, FloatTensor value, boolean compressible) implements Variable {
        @Override
        public FloatTensor gradient() {
            throw new IllegalStateException("nobody asks");
        }

        @Override
        public void penalize(@Nullable Penalty penalty) {}

        @Override
        public void mask(@Nullable Bits kept) {}
    }

    /** Minimises the sum of both losses, half a squared distance each, over vectors of three non-zeros. */
    private void solve() {
        try (Region region = Region.shared("vectors")) {
            Free w = new Free("w", region.tensor(6), true);
            Free bias = new Free("bias", region.tensor(2), false);
            try (Admm admm =
                    Admm.builder().constrain(w, Sparsity.count(3), RHO).consensus(ranks, List.of(bias)).build()) {
                admm.start();
                float[] drawn = DRAWN[ranks.rank()];
                float[] dual = new float[drawn.length];
                for (int i = 0; i < 60; i++) {
                    float[] z = admm.projected(w).toArray();
                    for (int k = 0; k < drawn.length; k++) {
                        w.value().set(k, (drawn[k] + RHO * (z[k] - dual[k])) / (1 + RHO));
                    }
                    bias.value().fill(ranks.rank() + i);
                    admm.update();
                    float[] next = admm.projected(w).toArray();
                    for (int k = 0; k < drawn.length; k++) {
                        dual[k] += w.value().get(k) - next[k];
                    }
                }
                say("z", admm.projected(w).toArray());
                say("bias", bias.value().toArray());
                say("own", w.value().toArray());
                w.value().fill(ranks.rank());
                admm.unite();
                say("united", w.value().toArray());
            }
        }
    }

    private void compress() throws IOException {
        Dataset data = Dataset.synthetic("noise", 217, 1, 8, 8, 10, 1);
        try (Network network = Network.create(NORMED, 1, false).on(ranks, Reduction.USUAL);
                NetworkTraining training =
                        new NetworkTraining(network, null, data, data, InputScale.UNIT, Crop.CENTER, 1,
                                0, Precision.FP32)) {
            PipelineListener listener = new PipelineListener() {
                @Override
                public void epoch(EpochRow row) {
                    line("epoch: alike " + alike(network));
                }
            };
            Pipeline.Result result = new Pipeline(RECIPE, training, null, listener).run();
            line(result.nonzeros() + " of " + result.weights() + ", alike " + alike(network) + ", "
                    + Checkpoint.fingerprint(network));
        }
    }

    private boolean alike(Network network) {
        byte[][] all = ranks.gather(Checkpoint.fingerprint(network).getBytes(StandardCharsets.UTF_8));
        return Arrays.stream(all).allMatch(one -> Arrays.equals(one, all[0]));
    }

    private void say(String name, float[] values) {
        StringBuilder line = new StringBuilder(name);
        for (float value : values) {
            line.append(String.format(Locale.ROOT, " %.3f", value + 0f));
        }
        line(line.toString());
    }

    private void line(String text) {
        if (ranks.first()) {
            System.out.println(text);
        }
    }
}
