package io.pare.net;

import io.pare.mem.Region;
import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Subsample;
import io.pare.rewrite.ValueForm;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** Small networks of layers of every kind, with every attribute, in any order; a seed gives the same one each time. */
public final class RandomNets {
    private static final int MAX_CHANNELS = 9;
    private static final int FEW = 500;
    private static final List<String> NAMES = List.of("conv", "a.b", "Stra\u00dfe", "0", "x/y");

    private final Random random;
    /** Whether windows may differ in both directions and on all sides. */
    private final boolean anyWindows;
    /** Values of constants that are not any numbers, by the name of their tensor. */
    private final Map<String, float[]> constants = new HashMap<>();
    private int layers;

    private RandomNets(long seed, boolean anyWindows) {
        this.random = new Random(seed);
        this.anyWindows = anyWindows;
    }

    /** A network whose windows are uniform. What a seed gives never changes: committed hashes depend on it. */
    public static CompressedWeights of(long seed) {
        RandomNets nets = new RandomNets(seed, false);
        return nets.weights(nets.model("random" + seed));
    }

    /** Convolutions and pools of any windows, mostly. */
    public static CompressedWeights windows(long seed) {
        RandomNets nets = new RandomNets(seed, true);
        NetBuilder net = new NetBuilder("windows" + seed,
                Shape.of(nets.size(3), 1 + nets.size(9), 1 + nets.size(9)));
        int count = nets.size(4);
        for (int i = 0; i < count; i++) {
            try {
                if (nets.chance(2)) {
                    nets.convolution(net);
                } else {
                    nets.pool(net, 1, nets.chance(2));
                }
                if (nets.chance(3)) {
                    nets.layer(net, 2);
                }
            } catch (IllegalArgumentException e) {
                // A window that does not fit: one layer fewer.
            }
        }
        return nets.weights(net.flatten("flatten").linear("fc", nets.size(4)).build());
    }

    private Net model(String name) {
        NetBuilder net = new NetBuilder(name, Shape.of(size(4), 3 + size(8), 3 + size(8)));
        chain(net, 1 + random.nextInt(6), 0);
        if (random.nextInt(4) > 0) {
            net.flatten(next("flatten"));
            vectors(net, random.nextInt(4));
            net.linear(next("fc"), 1 + size(4));
        }
        if (net.shape().features() > 2 * MAX_CHANNELS) {
            net.globalAvgPool(next("pool"));
        }
        return (chance(8) ? net.norm(next("bn")) : net).build();
    }

    /** Any graph: values that several operators read, sums of them, and operators that no tree of layers has. */
    public static CompressedWeights graph(long seed) {
        RandomNets nets = new RandomNets(~seed, true);
        return nets.weights(nets.graph("graph" + seed));
    }

    private Net graph(String name) {
        NetBuilder net = new NetBuilder(name, Shape.of(size(3), 3 + size(5), 3 + size(5)));
        List<Integer> values = new ArrayList<>(List.of(net.at()));
        Set<Integer> unread = new TreeSet<>();
        RandomTensorOps tensors = new RandomTensorOps(random, this::next, constants);
        int count = 2 + random.nextInt(8);
        for (int i = 0; i < count; i++) {
            // Mostly a chain, so that values in the middle are read again later.
            int from = chance(3) ? values.get(random.nextInt(values.size())) : values.getLast();
            List<Integer> read = List.of(from);
            try {
                switch (random.nextInt(10)) {
                    case 0 -> net.from(from).sigmoid(next("sigmoid"));
                    case 1 -> {
                        int other = values.get(random.nextInt(values.size()));
                        read = List.of(from, other);
                        net.add(next("sum"), new Add(), read);
                    }
                    case 2 -> {
                        read = new ArrayList<>(List.of(from));
                        int parts = random.nextInt(3);
                        for (int k = 0; k < parts; k++) {
                            read.add(values.get(random.nextInt(values.size())));
                        }
                        net.concat(next("concat"), read);
                    }
                    case 3, 4, 5 -> layer(net.from(from), 2);
                    default -> read = tensors.add(net.from(from), values);
                }
            } catch (IllegalArgumentException e) {
                // What does not fit: one operator fewer.
                continue;
            }
            unread.removeAll(read);
            unread.add(net.at());
            values.add(net.at());
        }
        int classes = 1 + size(4);
        List<Integer> ends = new ArrayList<>();
        for (int place : unread.isEmpty() ? List.of(net.at()) : List.copyOf(unread)) {
            net.from(place);
            if (chance(2)) {
                net.flatten(next("flatten"));
            }
            ends.add(net.linear(next("fc"), classes).at());
        }
        int sum = ends.getFirst();
        for (int end : ends.subList(1, ends.size())) {
            sum = net.add(next("sum"), new Add(), List.of(sum, end)).at();
        }
        if (chance(6)) {
            net.add(next("reshape"), new TensorOp.Reshape(Shape.of(1, classes)));
        }
        return net.build();
    }

    private boolean chance(int of) {
        return random.nextInt(of) == 0;
    }

    /** 1 to {@code most}. */
    private int size(int most) {
        return 1 + random.nextInt(most);
    }

    private String next(String kind) {
        String known = chance(5) ? NAMES.get(random.nextInt(NAMES.size())) : kind;
        return known + ++layers;
    }

    /** Adds layers that fit, {@code count} at most. */
    private void chain(NetBuilder net, int count, int depth) {
        for (int i = 0; i < count; i++) {
            try {
                layer(net, depth);
            } catch (IllegalArgumentException e) {
                // A window that does not fit: one layer fewer.
            }
        }
    }

    private void layer(NetBuilder net, int depth) {
        Shape in = net.shape();
        int kernel = size(3);
        switch (random.nextInt(depth < 2 ? 14 : 12)) {
            case 0, 1, 2 -> convolution(net);
            case 3, 4 -> net.relu(next("relu"));
            case 5, 6 -> net.add(next("bn"), new BatchNorm(in.channels(), chance(2) ? 1e-5f : 0.01f));
            case 7 -> net.add(next("norm"), new ResponseNorm(1 + 2 * random.nextInt(3), 0.5f * random.nextFloat(),
                    chance(2) ? 0.75f : 0.5f, 1 + random.nextFloat()));
            case 8 -> pool(net, kernel, true);
            case 9 -> pool(net, kernel, false);
            case 10 -> {
                if (chance(3)) {
                    net.globalAvgPool(next("pool"));
                } else {
                    net.add(next("subsample"), new Subsample(in.channels() + random.nextInt(4), size(2)));
                }
            }
            case 11 -> net.dropout(next("drop"), 0.5f);
            default -> residual(net, depth);
        }
    }

    private void convolution(NetBuilder net) {
        int in = net.shape().channels();
        int groups = chance(3) ? divisor(in) : 1;
        int out = groups * size(Math.max(1, MAX_CHANNELS / groups));
        String name = next("conv");
        Window window = anyWindows
                ? window(3)
                : Window.uniform(size(3), size(3), size(chance(2) ? 3 : 1), random.nextInt(3), chance(4) ? 2 : 1);
        net.add(name, new Conv2d(in, out, window, groups, random.nextInt(3) > 0));
    }

    private void pool(NetBuilder net, int kernel, boolean maximum) {
        String name = next("pool");
        Window window = anyWindows ? window(2) : Window.square(kernel, size(3), random.nextInt(kernel));
        if (maximum) {
            net.add(name, new MaxPool(window));
            return;
        }
        boolean counts = !anyWindows || chance(2);
        int uncounted = anyWindows && chance(3) ? 1 : 0;
        net.add(name, new AvgPool(window, counts, Math.min(uncounted, window.bottom()),
                Math.min(uncounted, window.right())));
    }

    /** Any window, padded by less than {@code padding} on each side. */
    private Window window(int padding) {
        return new Window(size(3), size(3), size(chance(2) ? 3 : 1), size(chance(2) ? 3 : 1), random.nextInt(padding),
                random.nextInt(padding), random.nextInt(padding), random.nextInt(padding), chance(4) ? 2 : 1,
                chance(4) ? 2 : 1);
    }

    private int divisor(int of) {
        int divisor = size(of);
        return of % divisor == 0 ? divisor : 1;
    }

    /** A block whose shortcut is nothing, a subsampling or a projection, whichever fits its body. */
    private void residual(NetBuilder net, int depth) {
        String name = next("block");
        Shape in = net.shape();
        Shape[] out = new Shape[1];
        net.residual(name, body -> {
            chain(body, size(4), depth + 1);
            out[0] = body.shape();
        }, shortcut -> {
            int stride = in.height() == out[0].height() ? 1 : 2;
            if (!in.equals(out[0]) || chance(3)) {
                if (in.channels() <= out[0].channels() && chance(2)) {
                    shortcut.add(next("subsample"), new Subsample(out[0].channels(), stride));
                } else {
                    String conv = next("conv");
                    boolean bias = chance(2);
                    String norm = chance(2) ? next("bn") : null;
                    shortcut.conv(conv, out[0].channels(), 1, stride, 0, bias);
                    if (norm != null) {
                        shortcut.norm(norm);
                    }
                }
            }
        });
    }

    /** Layers on vectors: mostly linear ones and what goes with them, and sometimes those made for images. */
    private void vectors(NetBuilder net, int count) {
        for (int i = 0; i < count; i++) {
            Shape shape = net.shape();
            int out = size(2 * MAX_CHANNELS);
            switch (random.nextInt(chance(4) ? 8 : 6)) {
                case 0, 1 -> net.linear(next("fc"), out);
                case 2 -> net.relu(next("relu"));
                case 3 -> net.dropout(next("drop"), 0.5f);
                case 4, 5 -> net.norm(next("bn"));
                case 6 -> net.residual(next("block"), body -> body.linear(next("fc"), shape.features())
                        .norm(next("bn")), shortcut -> {
                            if (!shape.isVector()) {
                                shortcut.flatten(next("flatten"));
                            }
                        });
                default -> chain(net, 1, 2);
            }
        }
    }

    private CompressedWeights weights(Net model) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        try (Region region = Region.confined("random nets")) {
            for (Parameter parameter : model.parameters()) {
                float[] values = switch (parameter.kind()) {
                    case WEIGHT -> weights(parameter);
                    case SCALE, VARIANCE -> values(parameter, 0.3f, 0.5f + random.nextFloat());
                    case CONSTANT -> constants.get(parameter.name());
                    case BIAS, MEAN ->
                            chance(3) ? new float[(int) parameter.count()] : values(parameter, 0.5f, 0);
                };
                var tensor = region.tensor(parameter.shape()).copyFrom(values);
                if (parameter.kind() == Parameter.Kind.WEIGHT || parameter.kind() == Parameter.Kind.BIAS) {
                    form(values.length).round(tensor);
                }
                tensors.put(parameter.name(), CompressedTensor.of(tensor));
            }
        }
        int channels = model.input().channels();
        InputScale scale = chance(2) ? InputScale.MNIST
                : new InputScale(Collections.nCopies(channels, random.nextFloat()),
                        Collections.nCopies(channels, 0.5f));
        return new CompressedWeights(model, tensors, scale);
    }

    private ValueForm form(int values) {
        return switch (random.nextInt(6)) {
            case 0 -> ValueForm.uniform(2 + random.nextInt(7));
            // Takes time by the square of the number of values.
            case 1 -> values > FEW ? ValueForm.F16 : ValueForm.clustered(1 + random.nextInt(8));
            case 2 -> ValueForm.F16;
            default -> ValueForm.F32;
        };
    }

    private float[] values(Parameter parameter, float spread, float centre) {
        float[] values = new float[(int) parameter.count()];
        for (int i = 0; i < values.length; i++) {
            values[i] = centre + spread * (centre == 0 ? (float) random.nextGaussian() : random.nextFloat());
        }
        return values;
    }

    /** Any share of the weights, some of whole rows and channels gone, of a size that keeps outputs near their inputs'. */
    private float[] weights(Parameter parameter) {
        long[] shape = parameter.shape();
        int rows = (int) shape[0];
        int perRow = (int) (parameter.count() / rows);
        int channels = (int) shape[1];
        double density = chance(4) ? 1 : random.nextDouble();
        boolean[] gone = new boolean[rows + channels];
        for (int i = 0; i < gone.length; i++) {
            gone[i] = chance(6);
        }
        float scale = (float) (1 / Math.sqrt(Math.max(1, density * perRow)));
        float[] values = new float[(int) parameter.count()];
        for (int i = 0; i < values.length; i++) {
            int channel = i % perRow / (perRow / channels);
            boolean kept = random.nextDouble() < density && !gone[i / perRow] && !gone[rows + channel];
            values[i] = kept ? scale * (float) random.nextGaussian() : 0;
        }
        return values;
    }
}
