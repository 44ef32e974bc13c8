package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Concat;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Dropout;
import io.pare.net.Op.Flatten;
import io.pare.net.Op.GlobalAvgPool;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.Relu;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Sigmoid;
import io.pare.net.Op.Subsample;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Codes the description of a network: by number if it is one of {@link #KNOWN}, else operator by operator; version 1 as a
 * {@link Tree}, version 2 as nodes that say what they read.
 */
final class NetCoder {
    /** Numbers of known networks, from 1; 0 is a description in the file. Never renumber: files refer to them. */
    static final List<String> KNOWN = List.of("lenet5", "lenet300", "lenet5-relu");

    private static final int MAX_LAYERS = 1 << 16;
    private static final int MAX_NAME = 255;
    private static final int MAX_DEPTH = 16;
    private static final int MAX_RANK = 8;
    /** Kind that says that another one follows. */
    private static final int EXTENDED = 7;
    /** Kind among the extended ones of all operators on tensors of any rank. */
    private static final int TENSOR = 15;

    private final BitCoder coder;
    private final int version;
    private int left = MAX_LAYERS;
    private int depth;
    private final Frequencies letters = new Frequencies(256);
    private final Map<String, Integer> counters = new HashMap<>();

    /** @param version of the description that is read or written */
    NetCoder(BitCoder coder, int version) {
        this.coder = coder;
        this.version = version;
    }

    /** The version in which a network is written: the first that can describe it. */
    static int version(Net net) {
        return known(net) > 0 || Tree.of(net).isPresent() ? 1 : 2;
    }

    /** Codes a network; null when reading. */
    Net code(Net net) {
        if (net != null && net.layers().size() > MAX_LAYERS) {
            throw new FormatException(net.name() + " has " + net.layers().size()
                    + " layers; files of Pare hold at most " + MAX_LAYERS + ", ONNX any number");
        }
        int known = coder.number(net == null ? 0 : known(net), 1);
        if (known > KNOWN.size()) {
            throw new FormatException("the file holds model number " + known + ", this version knows " + KNOWN
                    + ": use a newer version of Pare");
        }
        if (known > 0) {
            return Models.byName(KNOWN.get(known - 1));
        }
        try {
            return describe(net);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("the file's layers do not fit together: " + e.getMessage(), e);
        }
    }

    /** Dropout does nothing in a finished network, so its rate does not tell networks apart. */
    private static int known(Net net) {
        for (int i = 0; i < KNOWN.size(); i++) {
            if (Models.byName(KNOWN.get(i)).trained().equals(net.trained())) {
                return i + 1;
            }
        }
        return 0;
    }

    private Net describe(Net net) {
        String name = name(net == null ? null : net.name());
        NetBuilder builder = new NetBuilder(name, input(net == null ? null : net.input()));
        if (version == 1) {
            parts(net == null ? null : Tree.of(net).orElseThrow(), builder);
        } else {
            nodes(net, builder);
        }
        return builder.build();
    }

    private Shape input(Shape shape) {
        int rank = version == 1 ? 3 : size(shape == null ? 1 : shape.rank());
        if (rank > MAX_RANK) {
            throw new FormatException("the file declares an input of " + rank + " dimensions: it is damaged");
        }
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            sizes.add(size(shape == null ? 1 : shape.sizes().get(i)));
        }
        return new Shape(sizes);
    }

    private int count(int count) {
        int coded = coder.number(count, 3);
        left -= coded;
        if (left < 0) {
            throw new FormatException("the file declares more than " + MAX_LAYERS + " layers: it is damaged");
        }
        return coded;
    }

    /** Nodes that run one after another; null when reading. */
    private void parts(List<Tree.Part> parts, NetBuilder into) {
        int count = count(parts == null ? 0 : parts.size());
        for (int i = 0; i < count; i++) {
            Tree.Part part = parts == null ? null : parts.get(i);
            Node node = part == null ? null : part.node();
            Named read = operator(node, into.shape());
            switch (read.op()) {
                case Add _ -> block(read.name(), (Tree.Block) part, into);
                case Op op -> into.add(read.name(), op);
            }
        }
    }

    private void block(String name, Tree.Block block, NetBuilder into) {
        if (++depth > MAX_DEPTH) {
            throw new FormatException("the file's layers lie in one another more than " + MAX_DEPTH
                    + " deep: it is damaged");
        }
        into.residual(name, body -> parts(block == null ? null : block.body(), body),
                shortcut -> parts(block == null ? null : block.shortcut(), shortcut));
        depth--;
    }

    /** Nodes in their order, each with the distances to those that it reads; null when reading. */
    private void nodes(Net net, NetBuilder into) {
        int count = count(net == null ? 0 : net.layers().size());
        for (int place = 1; place <= count; place++) {
            Node node = net == null ? null : net.node(place);
            int first = place - distance(node, 0, place);
            Named read = operator(node, into.shape(first));
            List<Integer> inputs = new ArrayList<>();
            for (int i = 0; i < read.op().arity(); i++) {
                inputs.add(i == 0 ? first : place - distance(node, i, place));
            }
            into.add(read.name(), read.op(), inputs);
        }
    }

    private int distance(Node node, int index, int place) {
        // A constant reads nothing, and says so by the distance to the node before it.
        boolean reads = node != null && index < node.inputs().size();
        int distance = size(reads ? place - node.inputs().get(index) : 1);
        if (distance > place) {
            throw new FormatException("layer " + place + " of the file reads one before the first: it is damaged");
        }
        return distance;
    }

    /** Codes a size of at least 1. */
    private int size(int value) {
        return Math.addExact(coder.number(value - 1, 4), 1);
    }

    private record Named(String name, Op op) {}

    private Named operator(Node node, Shape input) {
        String name = node == null ? null : node.name();
        Op known = node == null ? null : node.op();
        int kind = coder.bits(switch (known) {
            case null -> 0;
            case Conv2d conv -> conv.bias() && conv.window().isUniform() ? 0 : EXTENDED;
            case Linear _ -> 1;
            case MaxPool(Window window) -> isUsual(window) ? 2 : EXTENDED;
            case AvgPool pool -> isUsual(pool) ? 3 : EXTENDED;
            case Relu _ -> 4;
            case Dropout _ -> 5;
            case Flatten _ -> 6;
            case BatchNorm _,ResponseNorm _,GlobalAvgPool _,Subsample _,Add _,Sigmoid _,Concat _,TensorOp _ ->
                    EXTENDED;
            case Op.Input _ -> throw new AssertionError("an input is no layer");
        }, 3);
        return switch (kind) {
            case 0 -> convolution((Conv2d) known, name, input, true);
            case 1 -> new Named(usualName("fc", name),
                    new Linear(input.features(), size(known == null ? 1 : ((Linear) known).out())));
            case 2 -> {
                int kernel = size(known == null ? 1 : ((MaxPool) known).window().kernelHeight());
                yield new Named(usualName("pool", name),
                        new MaxPool(usual(known == null ? null : ((MaxPool) known).window(), kernel)));
            }
            case 3 -> {
                int kernel = size(known == null ? 1 : ((AvgPool) known).window().kernelHeight());
                yield new Named(usualName("pool", name),
                        new AvgPool(usual(known == null ? null : ((AvgPool) known).window(), kernel), true));
            }
            case 4 -> new Named(usualName("relu", name), new Relu());
            case 5 -> new Named(usualName("drop", name),
                    new Dropout(decimal(known == null ? 0 : ((Dropout) known).rate())));
            case 6 -> new Named(usualName("flatten", name), new Flatten());
            default -> extended(known, name, input);
        };
    }

    /** The kinds for which the first three bits have no room. */
    private Named extended(Op known, String name, Shape input) {
        int kind = coder.bits(switch (known) {
            case null -> 0;
            case Conv2d conv -> conv.window().isUniform() ? 0 : 8;
            case BatchNorm _ -> 1;
            case ResponseNorm _ -> 2;
            case GlobalAvgPool _ -> 3;
            case Subsample _ -> 4;
            case Add _ -> 5;
            case Sigmoid _ -> 6;
            case Concat _ -> 7;
            case MaxPool _ -> 9;
            case AvgPool _ -> 10;
            case TensorOp _ -> TENSOR;
            case Op.Input _,Linear _,Relu _,Dropout _,Flatten _ ->
                    throw new AssertionError(known + " has a kind of three bits");
        }, 4);
        return switch (kind) {
            case 0 -> convolution((Conv2d) known, name, input, false);
            case 1 -> new Named(usualName("bn", name), new BatchNorm(input.channels(),
                    decimal(known == null ? 0 : ((BatchNorm) known).epsilon())));
            case 2 -> {
                ResponseNorm norm = (ResponseNorm) known;
                String own = usualName("norm", name);
                yield new Named(own, new ResponseNorm(size(norm == null ? 1 : norm.size()),
                        decimal(norm == null ? 0 : norm.alpha()), decimal(norm == null ? 0 : norm.beta()),
                        decimal(norm == null ? 0 : norm.k())));
            }
            case 3 -> new Named(usualName("pool", name), new GlobalAvgPool());
            case 4 -> {
                String own = usualName("subsample", name);
                int out = size(known == null ? 1 : ((Subsample) known).out());
                yield new Named(own, new Subsample(out, size(known == null ? 1 : ((Subsample) known).stride())));
            }
            case 5 -> new Named(usualName("block", name), new Add());
            case 6 -> new Named(usualName("sigmoid", name), new Sigmoid());
            case 7 -> {
                String own = usualName("concat", name);
                int inputs = size(known == null ? 1 : known.arity());
                if (inputs > MAX_LAYERS) {
                    throw new FormatException("the file declares a layer of " + inputs + " inputs: it is damaged");
                }
                yield new Named(own, new Concat(inputs));
            }
            case TENSOR -> {
                TensorOp op = new RecordCoder(coder).code((TensorOp) known);
                if (op.arity() > MAX_LAYERS) {
                    throw new FormatException("the file declares a layer of " + op.arity() + " inputs: it is damaged");
                }
                yield new Named(usualName(op.getClass().getSimpleName().toLowerCase(Locale.ROOT), name), op);
            }
            case 8 -> {
                Conv2d conv = (Conv2d) known;
                String own = usualName("conv", name);
                int out = size(conv == null ? 1 : conv.out());
                int groups = size(conv == null ? 1 : conv.groups());
                boolean bias = coder.flag(conv != null && conv.bias());
                yield new Named(own,
                        new Conv2d(input.channels(), out, window(conv == null ? null : conv.window()), groups, bias));
            }
            case 9 -> {
                String own = usualName("pool", name);
                yield new Named(own, new MaxPool(window(known == null ? null : ((MaxPool) known).window())));
            }
            case 10 -> {
                AvgPool pool = (AvgPool) known;
                String own = usualName("pool", name);
                Window window = window(pool == null ? null : pool.window());
                boolean counts = coder.flag(pool != null && pool.countsPadding());
                yield new Named(own,
                        new AvgPool(window, counts, coder.number(pool == null ? 0 : pool.uncountedBottom(), 0),
                                coder.number(pool == null ? 0 : pool.uncountedRight(), 0)));
            }
            default -> throw new FormatException("the file holds a layer of kind " + EXTENDED + "." + kind
                    + ", which this version does not know: use a newer version of Pare");
        };
    }

    private float decimal(float value) {
        return Float.intBitsToFloat(coder.bits(Float.floatToRawIntBits(value), 32));
    }

    /** Whether a pool's window has a short form: square, and alike both ways. */
    private static boolean isUsual(Window window) {
        return window.isUniform() && window.isSquare() && !window.isDilated();
    }

    /** Whether a mean has one: all of its padding counts. */
    private static boolean isUsual(AvgPool pool) {
        return isUsual(pool.window()) && pool.uncountedBottom() == 0 && pool.uncountedRight() == 0
                && pool.countsPadding() == pool.window().pads();
    }

    /** The rest of a pool's window of that short form; its stride is mostly its size. */
    private Window usual(Window window, int kernel) {
        int stride = coder.flag(window != null && window.strideHeight() == kernel)
                ? kernel
                : size(window == null ? 1 : window.strideHeight());
        return Window.square(kernel, stride, coder.number(window == null ? 0 : window.top(), 0));
    }

    /** Any window: kernel, strides and dilations, each down and right, then the padding. */
    private Window window(Window known) {
        Window w = known == null ? Window.of(1, 1) : known;
        int height = size(w.kernelHeight());
        int width = size(w.kernelWidth());
        int down = size(w.strideHeight());
        int right = size(w.strideWidth());
        int dilationHeight = size(w.dilationHeight());
        int dilationWidth = size(w.dilationWidth());
        return new Window(height, width, down, right, coder.number(w.top(), 1), coder.number(w.left(), 1),
                coder.number(w.bottom(), 1), coder.number(w.right(), 1), dilationHeight, dilationWidth);
    }

    private Named convolution(Conv2d conv, String name, Shape input, boolean bias) {
        Window known = conv == null ? Window.of(1, 1) : conv.window();
        int out = size(conv == null ? 1 : conv.out());
        int height = size(known.kernelHeight());
        boolean plain = coder.flag(conv != null && known.isPlain() && known.isSquare() && conv.groups() == 1);
        String named = usualName("conv", name);
        if (plain) {
            return new Named(named, Conv2d.of(input.channels(), out, height, 1, 0, bias));
        }
        int width = size(known.kernelWidth());
        int stride = size(known.strideHeight());
        int padding = coder.number(known.top(), 1);
        int dilation = size(known.dilationHeight());
        int groups = size(conv == null ? 1 : conv.groups());
        return new Named(named, new Conv2d(input.channels(), out,
                Window.uniform(height, width, stride, padding, dilation), groups, bias));
    }

    /** A layer's name: one bit if it is the kind's prefix and number ("flatten" alone for the first of its kind). */
    private String usualName(String prefix, String name) {
        int number = counters.merge(prefix, 1, Integer::sum);
        String usual = prefix.equals("flatten") && number == 1 ? prefix : prefix + number;
        return coder.flag(usual.equals(name)) ? usual : name(name);
    }

    private String name(String name) {
        byte[] known = name == null ? new byte[0] : name.getBytes(StandardCharsets.UTF_8);
        if (known.length > MAX_NAME) {
            throw new IllegalArgumentException("a name of " + known.length + " bytes; at most " + MAX_NAME
                    + " can be stored");
        }
        int length = coder.number(known.length, 3);
        if (length > MAX_NAME) {
            throw new FormatException("the file declares a name of " + length + " bytes: it is damaged");
        }
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) letters.tree(coder, name == null ? 0 : known[i] & 0xff, 8);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
