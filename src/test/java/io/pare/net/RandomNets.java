package io.pare.net;

import io.pare.mem.Region;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.GlobalAvgPool;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.ResponseNorm;
import io.pare.net.Layer.Subsample;
import io.pare.rewrite.ValueForm;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small networks of layers of every kind, with every attribute, in any order; a seed gives the same one each time. */
public final class RandomNets {
    private static final int MAX_CHANNELS = 9;
    private static final int FEW = 500;
    private static final List<String> NAMES = List.of("conv", "a.b", "Stra\u00dfe", "0", "x/y");

    private final Random random;
    private int layers;

    private RandomNets(long seed) {
        this.random = new Random(seed);
    }

    public static CompressedWeights of(long seed) {
        RandomNets nets = new RandomNets(seed);
        return nets.weights(nets.model("random" + seed));
    }

    private Model model(String name) {
        ImageShape input = new ImageShape(size(4), 3 + size(8), 3 + size(8));
        List<Layer> all = new ArrayList<>();
        ImageShape shape = chain(all, input, 1 + random.nextInt(6), 0);
        if (random.nextInt(4) > 0) {
            shape = add(all, new Flatten(next("flatten")), shape);
            shape = vectors(all, shape, random.nextInt(4));
            shape = add(all, new Linear(next("fc"), shape.features(), 1 + size(4)), shape);
        }
        if (shape.features() > 2 * MAX_CHANNELS) {
            shape = add(all, new GlobalAvgPool(next("pool")), shape);
        }
        shape = chance(8) ? add(all, BatchNorm.of(next("bn"), shape.channels()), shape) : shape;
        return new Model(name, input, shape.features(), all);
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

    private static ImageShape add(List<Layer> into, Layer layer, ImageShape shape) {
        ImageShape output = layer.output(shape);
        into.add(layer);
        return output;
    }

    /** Adds layers that fit, {@code count} at most, and returns the shape behind them. */
    private ImageShape chain(List<Layer> into, ImageShape first, int count, int depth) {
        ImageShape shape = first;
        for (int i = 0; i < count; i++) {
            try {
                shape = add(into, layer(shape, depth), shape);
            } catch (IllegalArgumentException e) {
                // A window that does not fit: one layer fewer.
            }
        }
        return shape;
    }

    private Layer layer(ImageShape in, int depth) {
        int kernel = size(3);
        return switch (random.nextInt(depth < 2 ? 14 : 12)) {
            case 0, 1, 2 -> convolution(in);
            case 3, 4 -> new Relu(next("relu"));
            case 5, 6 -> new BatchNorm(next("bn"), in.channels(), chance(2) ? 1e-5f : 0.01f);
            case 7 -> new ResponseNorm(next("norm"), 1 + 2 * random.nextInt(3), 0.5f * random.nextFloat(),
                    chance(2) ? 0.75f : 0.5f, 1 + random.nextFloat());
            case 8 -> new MaxPool(next("pool"), kernel, size(3), random.nextInt(kernel));
            case 9 -> new AvgPool(next("pool"), kernel, size(3), random.nextInt(kernel));
            case 10 -> chance(3)
                    ? new GlobalAvgPool(next("pool"))
                    : new Subsample(next("subsample"), in.channels() + random.nextInt(4), size(2));
            case 11 -> new Dropout(next("drop"), 0.5f);
            default -> residual(in, depth);
        };
    }

    private Conv2d convolution(ImageShape in) {
        int groups = chance(3) ? divisor(in.channels()) : 1;
        int out = groups * size(Math.max(1, MAX_CHANNELS / groups));
        return new Conv2d(next("conv"), in.channels(), out, size(3), size(3), size(chance(2) ? 3 : 1),
                random.nextInt(3), chance(4) ? 2 : 1, groups, random.nextInt(3) > 0);
    }

    private int divisor(int of) {
        int divisor = size(of);
        return of % divisor == 0 ? divisor : 1;
    }

    /** A block whose shortcut is nothing, a subsampling or a projection, whichever fits its body. */
    private Residual residual(ImageShape in, int depth) {
        String name = next("block");
        List<Layer> body = new ArrayList<>();
        ImageShape out = chain(body, in, size(4), depth + 1);
        List<Layer> shortcut = new ArrayList<>();
        int stride = in.height() == out.height() ? 1 : 2;
        if (!in.equals(out) || chance(3)) {
            if (in.channels() <= out.channels() && chance(2)) {
                shortcut.add(new Subsample(next("subsample"), out.channels(), stride));
            } else {
                shortcut.add(Conv2d.of(next("conv"), in.channels(), out.channels(), 1, stride, 0, chance(2)));
                if (chance(2)) {
                    shortcut.add(BatchNorm.of(next("bn"), out.channels()));
                }
            }
        }
        return new Residual(name, body, shortcut);
    }

    /** Layers on vectors: mostly linear ones and what goes with them, and sometimes those made for images. */
    private ImageShape vectors(List<Layer> into, ImageShape first, int count) {
        ImageShape shape = first;
        for (int i = 0; i < count; i++) {
            int out = size(2 * MAX_CHANNELS);
            shape = switch (random.nextInt(chance(4) ? 8 : 6)) {
                case 0, 1 -> add(into, new Linear(next("fc"), shape.features(), out), shape);
                case 2 -> add(into, new Relu(next("relu")), shape);
                case 3 -> add(into, new Dropout(next("drop"), 0.5f), shape);
                case 4, 5 -> add(into, BatchNorm.of(next("bn"), shape.channels()), shape);
                case 6 -> add(into, new Residual(next("block"),
                        List.of(new Linear(next("fc"), shape.features(), shape.features()),
                                BatchNorm.of(next("bn"), shape.features())),
                        shape.height() * shape.width() == 1 ? List.of() : List.of(new Flatten(next("flatten")))),
                        shape);
                default -> chain(into, shape, 1, 2);
            };
        }
        return shape;
    }

    private CompressedWeights weights(Model model) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        try (Region region = Region.confined("random nets")) {
            for (Parameter parameter : model.parameters()) {
                float[] values = switch (parameter.kind()) {
                    case WEIGHT -> weights(parameter);
                    case SCALE, VARIANCE -> values(parameter, 0.3f, 0.5f + random.nextFloat());
                    case BIAS, MEAN -> chance(3) ? new float[(int) parameter.count()] : values(parameter, 0.5f, 0);
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
