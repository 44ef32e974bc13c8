package io.pare.train;

import io.pare.data.SplitMix64;
import io.pare.descent.Attack;
import io.pare.exec.Backend;
import io.pare.exec.Binding;
import io.pare.exec.Graph;
import io.pare.exec.Tape;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.LongStream;

/**
 * Seeks inputs near given ones on which a network of classes fails, see {@link Attack}. To its tape the inputs are what is
 * trained, and the weights are fixed.
 *
 * <p>Its memory is the region's that it is given. An attack allocates nothing. One thread, which has the network for itself.
 */
final class Adversary implements Binding {
    /** No parameter is called so, for their names come from layers. */
    private static final String SOUGHT = "the inputs that are sought";

    private final Network network;
    private final FloatTensor images;
    private final FloatTensor gradient;
    private final Tape tape;
    private final SplitMix64 random = new SplitMix64(0);

    /**
     * Compiles the tape.
     *
     * @param network that is attacked; it outlives this
     * @param batch samples at once
     * @throws IllegalArgumentException if the network has batch normalisation, whose statistics a pass would change
     */
    Adversary(Network network, int batch, Region region, Workspace workspace, Backend backend) {
        Net model = network.model();
        if (model.parameters().stream().map(Parameter::kind).anyMatch(Adversary::isStatistic)) {
            throw new IllegalArgumentException(
                    model.name() + " has batch normalisation, whose statistics an attack would"
                            + " change: attacks are for networks without it, or whose layers take it in");
        }
        this.network = network;
        long[] shape = LongStream.concat(LongStream.of(batch),
                model.input().sizes().stream().mapToLong(Integer::longValue)).toArray();
        this.images = region.tensor(shape);
        this.gradient = region.tensor(shape);
        this.tape = Tape.training(region, workspace, loss(model, batch), this, backend, 1, false);
    }

    private static boolean isStatistic(Parameter.Kind kind) {
        return switch (kind) {
            case MEAN, VARIANCE -> true;
            case WEIGHT, BIAS, SCALE, CONSTANT -> false;
        };
    }

    private static Value loss(Net model, int batch) {
        return Graph.softmaxCrossEntropy(Graph.sought(model, SOUGHT, batch));
    }

    /** The memory of one, found without taking it. */
    static Tape.Footprint footprint(Net model, int batch, Backend backend) {
        Tape.Footprint tape = Tape.footprint(loss(model, batch), true, backend, 1, false);
        return new Tape.Footprint(tape.shared(), tape.own() + 2L * batch * model.input().features() * Float.BYTES);
    }

    @Override
    public FloatTensor value(String parameter) {
        return parameter.equals(SOUGHT) ? images : network.value(parameter);
    }

    @Override
    public FloatTensor gradient(String parameter) {
        return gradient;
    }

    /** The inputs that the last attack found. */
    FloatTensor images() {
        return images;
    }

    /** The gradient of the mean loss by each value of given inputs; valid until the next call. */
    FloatTensor gradient(FloatTensor at, MemorySegment labels) {
        images.copyFrom(at);
        tape.labels().copyFrom(labels);
        climb();
        return gradient;
    }

    private void climb() {
        tape.forward(0);
        tape.backward();
    }

    /**
     * Attacks a batch: writes {@link #images}.
     *
     * @param clean inputs as they are; they stay
     * @param labels of these inputs
     * @param ball where is sought
     * @param family seed of the random starts
     * @param item of the batch among all of the family
     */
    void attack(FloatTensor clean, MemorySegment labels, Ball ball, long family, long item) {
        tape.labels().copyFrom(labels);
        random.restart(family, item);
        ball.start(clean.segment(), images.segment(), random);
        for (int step = 0; step < ball.steps; step++) {
            climb();
            ball.step(clean.segment(), gradient.segment(), images.segment());
        }
    }

    /** Where an attack seeks, in the numbers of the network's input; those of a sample lie plane by plane. */
    static final class Ball {
        private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

        private final int steps;
        private final int planes;
        /** Values of a plane. */
        private final int size;
        private final float[] radius;
        private final float[] step;
        private final float[] least;
        private final float[] most;

        Ball(Attack attack, InputScale scale, Net model) {
            this.steps = attack.steps();
            this.planes = scale.mean().size();
            this.size = model.input().features() / planes;
            this.radius = new float[planes];
            this.step = new float[planes];
            this.least = new float[planes];
            this.most = new float[planes];
            for (int c = 0; c < planes; c++) {
                radius[c] = (float) (attack.epsilon() / scale.deviation().get(c));
                step[c] = (float) (attack.step() / scale.deviation().get(c));
                least[c] = scale.apply(c, 0);
                most[c] = scale.apply(c, 255);
            }
        }

        /** A point of the ball, even in each value. */
        private void start(MemorySegment clean, MemorySegment images, SplitMix64 random) {
            long count = images.byteSize() / Float.BYTES;
            for (long begin = 0; begin < count; begin += size) {
                int c = (int) (begin / size % planes);
                for (long i = begin; i < begin + size; i++) {
                    float from = clean.getAtIndex(FLOAT, i);
                    images.setAtIndex(FLOAT, i, inside(from + (2 * random.nextFloat() - 1) * radius[c], from, c));
                }
            }
        }

        /** A step by the signs of the gradient, and back into the ball. */
        private void step(MemorySegment clean, MemorySegment gradient, MemorySegment images) {
            long count = images.byteSize() / Float.BYTES;
            for (long begin = 0; begin < count; begin += size) {
                int c = (int) (begin / size % planes);
                for (long i = begin; i < begin + size; i++) {
                    float sign = Math.signum(gradient.getAtIndex(FLOAT, i));
                    images.setAtIndex(FLOAT, i, inside(images.getAtIndex(FLOAT, i) + sign * step[c],
                            clean.getAtIndex(FLOAT, i), c));
                }
            }
        }

        /** The nearest value to {@code wanted} that is no further from {@code clean} than may be, and that a pixel has. */
        private float inside(float wanted, float clean, int plane) {
            float near = Math.min(clean + radius[plane], Math.max(clean - radius[plane], wanted));
            return Math.min(most[plane], Math.max(least[plane], near));
        }
    }
}
