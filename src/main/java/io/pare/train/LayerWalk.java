package io.pare.train;

import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.Graph;
import io.pare.exec.Tape;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Takes samples through a network one layer after another, all of them through each, and shows what layers with weights
 * take.
 *
 * <p>These are linear layers and convolutions of one group. Off-heap it holds, of all samples at once, the values that
 * later layers still read. One thread.
 */
public final class LayerWalk {
    /** What sees the layers. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Sees a layer.
         *
         * @param weight of the layer, a row for each output; it may be changed
         * @param inputs what its rows are multiplied by
         */
        void layer(Weight weight, LayerInputs inputs);
    }

    /** Values of one node for all samples; those of a node that only shapes them anew are its input's. */
    private static final class Values implements AutoCloseable {
        private final Region region;
        private final FloatTensor tensor;
        private int readers;

        Values(String name, long samples, int features) {
            this.region = Region.shared("values of " + name);
            this.tensor = region.tensor(samples, features);
        }

        @Override
        public void close() {
            region.close();
        }
    }

    private final Network network;
    private final Net net;
    private final boolean sequential;
    private final Visitor visitor;
    private final List<List<Integer>> readers;
    private final Values[] values;
    private final int batch;
    private int samples;

    private LayerWalk(Network network, int batch, boolean sequential, Visitor visitor) {
        this.network = network;
        this.net = network.model();
        this.batch = batch;
        this.sequential = sequential;
        this.visitor = visitor;
        this.readers = net.readers();
        this.values = new Values[net.nodes().size()];
    }

    /**
     * Shows every layer, in the order of the network.
     *
     * @param network whose weights the visitor may change
     * @param data samples; labels are not looked at
     * @param scale how pixels become inputs
     * @param sequential whether layers take what those before them give as the visitor has left them; otherwise what they
     *            gave before
     * @param visitor sees the layers
     * @throws IllegalStateException if another thread uses the network, or it is closed
     * @throws io.pare.data.DataException if a sample cannot be read
     */
    public static void run(Network network, Dataset data, InputScale scale, boolean sequential, Visitor visitor) {
        try (var _ = network.section().enter()) {
            LayerWalk walk = new LayerWalk(network, Evaluation.batch(network, data), sequential, visitor);
            try {
                walk.read(data, scale);
                walk.net.layers().forEach(walk::pass);
            } finally {
                walk.close();
            }
        }
    }

    private void read(Dataset data, InputScale scale) {
        int features = net.input().features();
        Values input = new Values("the input", data.size(), features);
        put(0, input);
        try (Region region = Region.confined("batch"); Batches batches = Batches.inOrder(data, batch, scale)) {
            FloatTensor images = region.tensor(batch, features);
            MemorySegment labels = region.allocate((long) batch * Integer.BYTES);
            for (int count = batches.next(images, labels); count > 0; count = batches.next(images, labels)) {
                input.tensor.rows(samples, samples + count).copyFrom(images.rows(0, count));
                samples += count;
            }
        }
    }

    private void pass(Node node) {
        if (node.op().keepsValues()) {
            put(node.place(), values[node.input()]);
        } else if (sequential) {
            show(node);
            compute(node);
        } else {
            compute(node);
            show(node);
        }
        node.inputs().forEach(this::take);
    }

    private void show(Node node) {
        if (node.op().multiplies()) {
            Window places = node.op().places();
            FloatTensor taken = values[node.input()].tensor.rows(0, samples);
            LayerInputs inputs = places == null
                    ? LayerInputs.ofRows(taken, Math.toIntExact(node.weight().shape()[1]))
                    : LayerInputs.ofImages(taken, places, node.op().taken(net.node(node.input()).output()));
            visitor.layer(network.weight(node.weight().name()), inputs);
        }
    }

    /**
     * {@return the weights of the layers that a walk shows, in its order}
     *
     * @param net layers
     */
    public static List<Parameter> weights(Net net) {
        return net.layers().stream().filter(node -> node.op().multiplies()).map(Node::weight).toList();
    }

    private void compute(Node node) {
        Values output = new Values(node.name(), samples, node.output().features());
        put(node.place(), output);
        for (int from = 0; from < samples;) {
            int count = samples - from >= batch ? batch : samples - from;
            from = compute(node, output.tensor, from, count);
        }
    }

    /** Computes as many batches of a size as there are from a sample on; gives the sample behind them. */
    private int compute(Node node, FloatTensor output, int from, int count) {
        try (Region region = Region.shared("layer " + node.name())) {
            Tape tape = Tape.frozen(region, new Workspace(region), Graph.layer(net, node, count), network,
                    network.backend());
            int at = from;
            for (; samples - at >= count; at += count) {
                for (int place : node.inputs()) {
                    tape.input(Integer.toString(place)).segment()
                            .copyFrom(values[place].tensor.rows(at, at + count).segment());
                }
                tape.forward(0);
                output.rows(at, at + count).segment().copyFrom(tape.output().segment());
            }
            return at;
        }
    }

    /** Notes where the values of a node lie, which stay until its readers have run. */
    private void put(int place, Values where) {
        values[place] = where;
        where.readers += readers.get(place).size();
    }

    private void take(int place) {
        Values taken = values[place];
        if (--taken.readers == 0) {
            taken.close();
        }
    }

    private void close() {
        for (Values each : values) {
            if (each != null) {
                each.close();
            }
        }
    }
}
