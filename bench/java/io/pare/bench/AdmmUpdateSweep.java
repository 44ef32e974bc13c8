package io.pare.bench;

import io.pare.compress.Admm;
import io.pare.compress.RhoRule;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Sparsity;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Models;
import io.pare.net.Parameter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * One Z and U step of all weights of VGG-16 on one thread: {@code AdmmUpdateSweep FILE.json}. Shapes and kept shares are
 * those of the recipe vgg16-prune, weights are normal and shrink a little between steps. {@code kernel} is the fused
 * projection alone, {@code update} all of {@link Admm#update}, {@code copy} a copy of the same number of bytes as the
 * kernel moves, 20 a weight.
 */
public final class AdmmUpdateSweep {
    private static final int ROUNDS = 9;

    private AdmmUpdateSweep() {}

    private record Held(String name, FloatTensor value) implements Variable {
        @Override
        public FloatTensor gradient() {
            return null;
        }

        @Override
        public boolean compressible() {
            return true;
        }

        @Override
        public void penalize(Penalty penalty) {
            // Nothing trains here.
        }

        @Override
        public void mask(Bits kept) {
            // Nothing trains here.
        }
    }

    private static double share(String name) {
        return switch (name.substring(0, name.lastIndexOf('.'))) {
            case "features.0" -> 0.6;
            case "features.2" -> 0.3;
            case "classifier.0" -> 0.01;
            case "classifier.3" -> 0.025;
            case "classifier.6" -> 0.1;
            default -> 0.275;
        };
    }

    public static void main(String[] args) throws IOException {
        double[][] seconds = new double[3][ROUNDS];
        long weights = 0;
        long kept = 0;
        try (Region region = Region.shared("weights"); Projections projections = Projections.open(1)) {
            List<Held> held = new ArrayList<>();
            Admm.Builder builder = Admm.builder();
            SplittableRandom random = new SplittableRandom(1);
            for (Parameter parameter : Models.byName("vgg16").parameters()) {
                if (parameter.weight()) {
                    Held one = new Held(parameter.name(), region.tensor(parameter.shape()));
                    double deviation = Math.sqrt(2.0 / parameter.fanIn());
                    for (long i = 0; i < one.value.count(); i++) {
                        one.value.set(i, (float) random.nextGaussian(0, deviation));
                    }
                    held.add(one);
                    weights += one.value.count();
                    kept += Math.round(share(one.name) * one.value.count());
                    builder.constrain(List.of(one), Sparsity.count(Math.round(share(one.name) * one.value.count())),
                            1.5e-3, new RhoRule.Fixed());
                }
            }
            try (Admm admm = builder.build()) {
                admm.start();
                for (int round = 0; round < ROUNDS; round++) {
                    shrink(held);
                    long begin = System.nanoTime();
                    admm.update();
                    seconds[1][round] = (System.nanoTime() - begin) / 1e9;
                }
            }
            kernel(region, held, projections, seconds);
        }
        StringBuilder text = new StringBuilder("{\"weights\": " + weights + ", \"kept\": " + kept);
        String[] names = {"kernel", "update", "copy"};
        for (int i = 0; i < names.length; i++) {
            double[] sorted = seconds[i].clone();
            Arrays.sort(sorted);
            text.append(String.format(Locale.ROOT, ",%n \"%s\": {\"least\": %.4f, \"median\": %.4f, \"seconds\": %s}",
                    names[i], sorted[0], sorted[ROUNDS / 2], Arrays.toString(seconds[i])));
        }
        Files.writeString(Path.of(args[0]), text.append("}\n"));
        System.out.println(text);
    }

    private static void shrink(List<Held> held) {
        held.forEach(one -> Kernels.active().scale(0.999f, one.value.segment(), 0, one.value.count()));
    }

    /** The fused projection and the copy, turn by turn. */
    private static void kernel(Region region, List<Held> held, Projections projections, double[][] seconds) {
        List<FloatTensor> z = held.stream().map(one -> region.tensor(one.value.shape())).toList();
        List<FloatTensor> u = held.stream().map(one -> region.tensor(one.value.shape())).toList();
        for (int round = 0; round < ROUNDS; round++) {
            shrink(held);
            long begin = System.nanoTime();
            for (int i = 0; i < held.size(); i++) {
                FloatTensor w = held.get(i).value;
                projections.topKAdmm(w.segment(), 0, u.get(i).segment(), 0, z.get(i).segment(), 0, w.count(),
                        Math.round(share(held.get(i).name) * w.count()));
            }
            seconds[0][round] = (System.nanoTime() - begin) / 1e9;
            begin = System.nanoTime();
            for (int i = 0; i < held.size(); i++) {
                // 8 bytes a weight each: two and a half copies make 20. Z is only overwritten: the next round projects anew.
                copy(held.get(i).value, z.get(i), 1);
                copy(u.get(i), z.get(i), 1);
                copy(held.get(i).value, z.get(i), 2);
            }
            seconds[2][round] = (System.nanoTime() - begin) / 1e9;
        }
    }

    private static void copy(FloatTensor from, FloatTensor to, int part) {
        long bytes = from.byteSize() / part;
        MemorySegment.copy(from.segment(), 0, to.segment(), 0, bytes);
    }
}
