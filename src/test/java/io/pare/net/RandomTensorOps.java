package io.pare.net;

import io.pare.net.TensorOp.Border;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Draws operators on tensors for {@link RandomNets}, whose outputs are bounded where their inputs are. Functions that jump
 * are drawn on the input and on constants alone, which are exact.
 */
final class RandomTensorOps {
    /** Values beyond which nothing that repeats values is drawn. */
    private static final int LARGE = 300;
    private static final int KINDS = 25;
    private static final List<TensorOp.Map> SMOOTH = List.of(new TensorOp.Map(Pointwise.LEAKY_RELU, 0.1f, 0),
            new TensorOp.Map(Pointwise.ELU, 0.8f, 0), new TensorOp.Map(Pointwise.SELU, 1.67326f, 1.0507f),
            new TensorOp.Map(Pointwise.CELU, 1.5f, 0), new TensorOp.Map(Pointwise.CLIP, -1, 0.5f),
            new TensorOp.Map(Pointwise.CLIP, Float.NEGATIVE_INFINITY, 2),
            new TensorOp.Map(Pointwise.HARD_SIGMOID, 0.2f, 0.5f),
            new TensorOp.Map(Pointwise.HARD_SWISH, 1 / 6f, 0.5f), TensorOp.Map.of(Pointwise.SWISH),
            TensorOp.Map.of(Pointwise.MISH), TensorOp.Map.of(Pointwise.TANH), TensorOp.Map.of(Pointwise.SOFTPLUS),
            TensorOp.Map.of(Pointwise.SOFTSIGN), TensorOp.Map.of(Pointwise.GELU),
            TensorOp.Map.of(Pointwise.GELU_TANH), TensorOp.Map.of(Pointwise.ERF), TensorOp.Map.of(Pointwise.ABS),
            new TensorOp.Map(Pointwise.LINEAR, -0.7f, 0.4f), TensorOp.Map.of(Pointwise.SIN),
            TensorOp.Map.of(Pointwise.COS));
    private static final List<Pointwise> STEPS = List.of(Pointwise.FLOOR, Pointwise.CEIL, Pointwise.ROUND,
            Pointwise.TRUNCATE, Pointwise.SIGN, Pointwise.NOT);
    private static final List<Pairwise> SMOOTH_PAIRS = List.of(Pairwise.ADD, Pairwise.SUBTRACT, Pairwise.MULTIPLY,
            Pairwise.MINIMUM, Pairwise.MAXIMUM);
    private static final List<Pairwise> STEP_PAIRS = List.of(Pairwise.EQUAL, Pairwise.LESS, Pairwise.LESS_OR_EQUAL,
            Pairwise.GREATER, Pairwise.GREATER_OR_EQUAL, Pairwise.AND, Pairwise.OR, Pairwise.XOR);

    private final Random random;
    private final UnaryOperator<String> names;
    /** Values of constants that are not any numbers, by the name of their tensor. */
    private final Map<String, float[]> constants;
    private final Set<Integer> exact = new HashSet<>(Set.of(0));

    RandomTensorOps(Random random, UnaryOperator<String> names, Map<String, float[]> constants) {
        this.random = random;
        this.names = names;
        this.constants = constants;
    }

    /**
     * Appends an operator to the builder's value, with constants if it needs some.
     *
     * @param values places that it may read as well
     * @return the places that it reads
     * @throws IllegalArgumentException if none fits
     */
    List<Integer> add(NetBuilder net, List<Integer> values) {
        int from = net.at();
        Shape in = net.shape();
        int rank = in.rank();
        switch (random.nextInt(KINDS)) {
            case 0, 1 -> one(net, any(SMOOTH));
            case 2 -> {
                Pairwise function = any(SMOOTH_PAIRS);
                int constant = constant(net, repeatable(in), size -> (float) random.nextGaussian());
                boolean left = random.nextBoolean();
                more(net, new TensorOp.Zip(function), left ? List.of(constant, from) : List.of(from, constant));
            }
            case 3 -> {
                int constant = constant(net, repeatable(in),
                        _ -> (random.nextBoolean() ? 1 : -1) * (0.5f + random.nextFloat()));
                more(net, new TensorOp.Zip(Pairwise.DIVIDE), List.of(from, constant));
            }
            case 4 -> {
                int other = any(values);
                more(net, new TensorOp.Zip(any(SMOOTH_PAIRS)), List.of(from, other));
                return List.of(from, other);
            }
            case 5 -> one(net, new TensorOp.Reduce(any(List.of(Reduction.values())), some(rank), random.nextBoolean()));
            case 6 -> one(net, new TensorOp.Softmax(random.nextInt(Math.max(1, rank)), random.nextBoolean()));
            case 7 -> {
                List<Integer> order = new ArrayList<>(IntStream.range(0, rank).boxed().toList());
                Collections.shuffle(order, random);
                one(net, new TensorOp.Transpose(order));
            }
            case 8 -> one(net, new TensorOp.Reshape(reshaped(in)));
            case 9 -> one(net, slice(in));
            case 10 -> one(net, pad(in));
            case 11 -> {
                List<Integer> read = new ArrayList<>(List.of(from));
                for (int i = random.nextInt(3); i > 0; i--) {
                    read.add(any(values));
                }
                more(net, new TensorOp.Join(read.size(), random.nextInt(Math.max(1, rank))), read);
                return read;
            }
            case 12 -> {
                int axis = axis(in);
                one(net, new TensorOp.Take(axis, indices(in.sizes().get(axis), 1 + random.nextInt(4))));
            }
            case 13 -> {
                checkRank(in, 2);
                if (random.nextBoolean()) {
                    List<Integer> order = new ArrayList<>(IntStream.range(0, rank).boxed().toList());
                    Collections.swap(order, rank - 1, rank - 2);
                    one(net, new TensorOp.Transpose(order));
                    more(net, new TensorOp.MatMul(), List.of(from, net.at()));
                } else {
                    boolean whole = rank > 2 && random.nextBoolean();
                    int inner = in.fromEnd(1);
                    Shape shape = whole ? Shape.of(in.fromEnd(3), inner, 2) : Shape.of(inner, 1 + random.nextInt(4));
                    int constant = constant(net, shape, _ -> (float) (random.nextGaussian() / Math.sqrt(inner)));
                    more(net, new TensorOp.MatMul(), List.of(from, constant));
                }
            }
            case 14 -> {
                checkRank(in, 1);
                one(net, new TensorOp.Projection(in.fromEnd(1), 1 + random.nextInt(6), random.nextBoolean()));
            }
            case 15 -> {
                int outer = axis(in);
                one(net, new TensorOp.LayerNorm(in.sizes().subList(outer, rank), any(List.of(1e-5f, 0.01f))));
            }
            case 16 -> {
                checkRank(in, 1);
                List<Integer> groups = IntStream.rangeClosed(1, in.channels()).filter(g -> in.channels() % g == 0)
                        .boxed().toList();
                one(net, new TensorOp.GroupNorm(in.channels(), any(groups), any(List.of(1e-5f, 0.01f))));
            }
            case 17 -> one(net, new TensorOp.PRelu(repeatable(in)));
            case 18 -> {
                checkSmall(in);
                List<Integer> sizes = new ArrayList<>(in.sizes());
                sizes.replaceAll(size -> size == 1 ? 1 + random.nextInt(3) : size);
                for (int i = random.nextInt(2); i > 0; i--) {
                    sizes.addFirst(1 + random.nextInt(2));
                }
                one(net, new TensorOp.Expand(new Shape(sizes)));
            }
            case 19 -> {
                int axis = axis(in);
                int size = in.sizes().get(axis);
                if (random.nextBoolean()) {
                    Shape shape = random.nextBoolean() ? Shape.of() : Shape.of(1 + random.nextInt(3));
                    int constant = constant(net, shape, _ -> random.nextInt(2 * size) - size);
                    more(net, new TensorOp.Gather(axis), List.of(from, constant));
                } else {
                    int rows = 1 + random.nextInt(5);
                    int constant = constant(net, new Shape(in.sizes().subList(axis, rank - 1)),
                            _ -> random.nextInt(2 * rows) - rows);
                    more(net, new TensorOp.Embedding(rows, in.fromEnd(1)), List.of(constant));
                    more(net, new TensorOp.Zip(any(SMOOTH_PAIRS)), List.of(from, net.at()));
                }
            }
            case 20 -> {
                checkImage(in);
                checkSmall(in);
                int groups = in.channels() % 2 == 0 ? 1 + random.nextInt(2) : 1;
                Window window = Window.of(1 + random.nextInt(3), 1 + random.nextInt(3))
                        .by(1 + random.nextInt(2), 1 + random.nextInt(2))
                        .padded(random.nextInt(2), random.nextInt(2), random.nextInt(2), random.nextInt(2));
                one(net, new TensorOp.ConvTranspose(in.channels(), groups * (1 + random.nextInt(3)), window, groups,
                        random.nextInt(window.strideHeight()), random.nextInt(window.strideWidth()),
                        random.nextBoolean()));
            }
            case 21 -> one(net, resize(in));
            case 22 -> {
                checkRank(in, 2);
                one(net, new TensorOp.Recurrent(any(List.of(TensorOp.Cell.values())), in.fromEnd(1),
                        1 + random.nextInt(3), any(List.of(TensorOp.Direction.values())), false));
            }
            case 23 -> {
                checkRank(in, 2);
                checkSmall(in);
                return attend(net, from, in);
            }
            default -> {
                if (exact.contains(from)) {
                    step(net, from, in);
                } else {
                    int condition = constant(net, repeatable(in), _ -> random.nextInt(2));
                    int other = constant(net, repeatable(in), _ -> random.nextFloat());
                    more(net, new TensorOp.Choose(), random.nextBoolean()
                            ? List.of(condition, from, other)
                            : List.of(condition, other, from));
                }
            }
        }
        return List.of(from);
    }

    /** Attention of a value to itself or to constants. */
    private List<Integer> attend(NetBuilder net, int from, Shape in) {
        boolean rowsFirst = in.rank() > 2 && random.nextBoolean();
        boolean toItself = random.nextBoolean();
        int rows = in.fromEnd(rowsFirst ? 3 : 2);
        int columns = toItself ? rows : 1 + random.nextInt(4);
        int features = in.fromEnd(1);
        Values values = _ -> (float) random.nextGaussian();
        int keys = toItself ? from
                : constant(net, rowsFirst ? Shape.of(columns, 1, features) : Shape.of(columns, features), values);
        int width = 1 + random.nextInt(3);
        int mixed = toItself && random.nextBoolean() ? from
                : constant(net, rowsFirst ? Shape.of(columns, 1, width) : Shape.of(columns, width), values);
        List<Integer> read = new ArrayList<>(List.of(from, keys, mixed));
        boolean masked = random.nextBoolean();
        if (masked) {
            Shape shape = repeatable(Shape.of(rows, columns));
            // The first column is never masked.
            read.add(constant(net, shape, i -> i % columns != 0 && random.nextInt(4) == 0 ? -1e9f
                    : (float) random.nextGaussian()));
        }
        more(net, new TensorOp.Attention(any(List.of(1f, 0.5f, -0.3f)), masked, rowsFirst), read);
        return List.of(from);
    }

    /** A function that jumps, of exact values; the result is exact too. */
    private void step(NetBuilder net, int from, Shape in) {
        switch (random.nextInt(3)) {
            case 0 -> one(net, TensorOp.Map.of(any(STEPS)));
            case 1 -> more(net, new TensorOp.Zip(any(STEP_PAIRS)),
                    List.of(from, constant(net, repeatable(in), _ -> random.nextInt(3) - 1)));
            default -> {
                checkSmall(in);
                one(net, TensorOp.Map.of(Pointwise.ROUND));
                one(net, new TensorOp.Map(Pointwise.CLIP, -3, 2));
                exact.add(net.at());
                one(net, new TensorOp.Embedding(3, 1 + random.nextInt(3)));
                return;
            }
        }
        exact.add(net.at());
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private void one(NetBuilder net, TensorOp op) {
        net.add(names.apply("t"), op);
    }

    private void more(NetBuilder net, TensorOp op, List<Integer> inputs) {
        net.add(names.apply("t"), op, inputs);
    }

    private interface Values {
        float at(int index);
    }

    private int constant(NetBuilder net, Shape shape, Values values) {
        String name = names.apply("constant");
        net.add(name, new TensorOp.Constant(shape), List.of());
        float[] all = new float[shape.features()];
        for (int i = 0; i < all.length; i++) {
            all[i] = values.at(i);
        }
        constants.put(name + ".value", all);
        return net.at();
    }

    private static void checkRank(Shape in, int least) {
        if (in.rank() < least) {
            throw new IllegalArgumentException(in + " has too few axes");
        }
    }

    private static void checkSmall(Shape in) {
        if (in.features() > LARGE) {
            throw new IllegalArgumentException(in + " is large");
        }
    }

    /** Any axis. */
    private int axis(Shape in) {
        checkRank(in, 1);
        return random.nextInt(in.rank());
    }

    /** At least one axis, ascending. */
    private List<Integer> some(int rank) {
        List<Integer> axes = new ArrayList<>(
                IntStream.range(0, rank).filter(_ -> random.nextBoolean()).boxed().toList());
        if (axes.isEmpty()) {
            axes.add(random.nextInt(Math.max(1, rank)));
        }
        return axes;
    }

    private List<Integer> indices(int size, int count) {
        return IntStream.range(0, count).mapToObj(_ -> random.nextInt(size)).toList();
    }

    /** A shape that is repeated to the given one. */
    private Shape repeatable(Shape in) {
        List<Integer> sizes = new ArrayList<>(in.sizes());
        sizes.replaceAll(size -> random.nextInt(3) == 0 ? 1 : size);
        return new Shape(sizes.subList(random.nextInt(3) == 0 ? random.nextInt(sizes.size() + 1) : 0, sizes.size()));
    }

    private Shape reshaped(Shape in) {
        List<Integer> sizes = new ArrayList<>(in.sizes());
        if (sizes.size() > 1 && random.nextBoolean()) {
            int axis = random.nextInt(sizes.size() - 1);
            sizes.set(axis, sizes.get(axis) * sizes.remove(axis + 1));
        }
        if (sizes.size() < 4 && !sizes.isEmpty() && random.nextBoolean()) {
            int axis = random.nextInt(sizes.size());
            int size = sizes.get(axis);
            List<Integer> factors = IntStream.rangeClosed(1, size).filter(f -> size % f == 0).boxed().toList();
            int factor = any(factors);
            sizes.set(axis, factor);
            sizes.add(axis + 1, size / factor);
        }
        return new Shape(sizes);
    }

    private TensorOp slice(Shape in) {
        int rank = in.rank();
        Integer[] starts = new Integer[rank];
        Integer[] steps = new Integer[rank];
        int[] sizes = new int[rank];
        for (int axis = 0; axis < rank; axis++) {
            int size = in.sizes().get(axis);
            boolean whole = random.nextInt(2) == 0;
            steps[axis] = whole ? 1 : any(List.of(1, 1, 2, -1, -2));
            starts[axis] = whole ? 0 : random.nextInt(size);
            int most = steps[axis] > 0
                    ? (size - 1 - starts[axis]) / steps[axis] + 1
                    : starts[axis] / -steps[axis] + 1;
            sizes[axis] = whole ? most : 1 + random.nextInt(most);
        }
        return new TensorOp.Slice(Arrays.asList(starts), Arrays.asList(steps), Shape.of(sizes));
    }

    /** Along rows and columns; of the nearest values, by factors whose coordinates are exact. */
    private TensorOp resize(Shape in) {
        checkImage(in);
        checkSmall(in);
        boolean nearest = random.nextBoolean();
        List<Float> scales = List.of(1f, any(List.of(1f, 2f, 0.5f)), any(List.of(1f, 2f, 0.5f)));
        List<Integer> sizes = new ArrayList<>(List.of(in.channels()));
        for (int axis = 1; axis < 3; axis++) {
            sizes.add(Math.max(1, (int) (scales.get(axis) * in.sizes().get(axis))));
        }
        return new TensorOp.Resize(new Shape(sizes), scales,
                nearest ? TensorOp.Interpolation.NEAREST : TensorOp.Interpolation.LINEAR,
                nearest ? TensorOp.Coordinates.ASYMMETRIC
                        : any(List.of(TensorOp.Coordinates.HALF_PIXEL, TensorOp.Coordinates.ASYMMETRIC)),
                TensorOp.Nearest.FLOOR, -0.75f, false, false);
    }

    private static void checkImage(Shape in) {
        if (in.rank() != 3) {
            throw new IllegalArgumentException(in + " is no image");
        }
    }

    private TensorOp pad(Shape in) {
        checkSmall(in);
        Border border = any(List.of(Border.values()));
        List<List<Integer>> sides = new ArrayList<>();
        for (int side = 0; side < 2; side++) {
            List<Integer> padding = new ArrayList<>();
            for (int size : in.sizes()) {
                int most = border == Border.REFLECT ? Math.min(2, size - 1) : 2;
                padding.add(random.nextInt(2) == 0 ? 0 : random.nextInt(most + 1));
            }
            sides.add(padding);
        }
        return new TensorOp.Pad(sides.getFirst(), sides.getLast(), border, any(List.of(0f, -1.5f)));
    }
}
