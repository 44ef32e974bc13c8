package io.pare.bench;

import io.pare.compress.constraint.Budget;
import io.pare.compress.recipe.Recipe;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.mem.FloatTensor;
import io.pare.natives.NativeThreads;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.Add;
import io.pare.net.Op.Conv2d;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import io.pare.run.BudgetRow;
import io.pare.run.CompressionJob;
import io.pare.run.CostTable;
import io.pare.run.DataSets;
import io.pare.run.DataSettings;
import io.pare.run.LayerTimes;
import io.pare.run.PredictionTime;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Budgets of time, promised and measured: five for each of three networks, which are pruned by a stage with a {@code budget} on
 * noise. Each is what a weight in each layer takes, and a share of what the whole network takes on top.
 *
 * <p>{@code io.pare.bench.LatencyBudgets [seconds [names]]}, of which {@code seconds} are those of each table, 40 unless given.
 */
public final class LatencyBudgets {
    private static final double[] SHARES = {0.15, 0.25, 0.4, 0.55, 0.75};
    private static final double NEAR = 0.1;
    private static final int STEPS = 8;
    private static final int IMAGES = 256;

    private LatencyBudgets() {}

    /**
     * Prints a line for each budget, and how many were met within a tenth.
     *
     * @param args seconds, and names of networks
     * @throws IOException if a file cannot be written
     */
    public static void main(String[] args) throws IOException {
        NativeThreads.set(1);
        double seconds = args.length > 0 ? Double.parseDouble(args[0]) : 40;
        List<String> names = args.length > 1
                ? List.of(args).subList(1, args.length)
                : List.of("lenet5", "resnet20", "mobile");
        System.out.println("| network | allowed, us | promised | measured | measured over promised | |");
        System.out.println("|---|---|---|---|---|---|");
        int good = 0;
        for (String name : names) {
            Path folder = Files.createTempDirectory("latency");
            CompressedWeights weights = name.equals("mobile")
                    ? imported(initial(mobile()), folder.resolve("mobile.onnx"))
                    : initial(Models.byName(name));
            CostTable table = LayerTimes.of(weights, seconds, _ -> {
            });
            double whole = PredictionTime.of(weights, 1, table.reference()).ratio() * table.reference();
            double least = table.rest() + table.layers().keySet().stream()
                    .mapToDouble(each -> table.at(each, 1) + table.rows().getOrDefault(each, 0.0)).sum();
            for (double share : SHARES) {
                BudgetRow row =
                        run(weights, table, new Budget(Budget.Quantity.LATENCY, least + share * (whole - least)),
                                folder.resolve("run" + share));
                boolean near = row.holds() && Math.abs(row.measured() / row.promised() - 1) <= NEAR;
                good += near ? 1 : 0;
                System.out.printf(Locale.ROOT, "| %s | %.1f | %.1f | %.1f | %.3f | %s |%n", name, row.allowed(),
                        row.promised(), row.measured(), row.measured() / row.promised(),
                        near ? "met" : row.holds() ? "met, more than a tenth below" : "missed");
            }
        }
        System.out.printf(Locale.ROOT, "%d of %d within a tenth, and met%n", good, names.size() * SHARES.length);
    }

    private static BudgetRow run(CompressedWeights weights, CostTable table, Budget budget, Path folder)
            throws IOException {
        Recipe recipe = Recipe.parse("budget", """
                name: budget
                train: {epochs: 1, batchSize: 16}
                stages:
                  - admm-prune: {keep: {budget: "%s"}, ramp: 0.6, admm: {updatesPerEpoch: 8}}
                  - mask-retrain: {}
                """.formatted(budget));
        DataSets.Opened data = DataSets.open(DataSettings.synthetic(IMAGES), weights.model(), new DataSets.Loading(1),
                _ -> {
                });
        try (CompressionJob job = new CompressionJob(weights.model(), data.corpus(), folder).recipe(recipe)
                .from(weights).rehearsal(STEPS).unpacked().within(List.of(), List.of(table), 0)) {
            return job.run().budgets().getFirst();
        }
    }

    /** Weights as before training. */
    private static CompressedWeights initial(Net model) {
        try (Network network = Network.create(model, 1, true)) {
            Map<String, FloatTensor> values = new LinkedHashMap<>();
            for (Weight weight : network.weights()) {
                values.put(weight.name(), weight.value());
            }
            return CompressedWeights.of(model, values, InputScale.UNIT);
        }
    }

    private static CompressedWeights imported(CompressedWeights weights, Path file) throws IOException {
        OnnxFile.write(file, weights, OnnxWeights.FLOATS);
        return NetworkFile.read(file);
    }

    /** The blocks of MobileNetV2 with a quarter of the channels, for images of 32 pixels a side. */
    private static Net mobile() {
        NetBuilder net = new NetBuilder("mobile", Shape.of(3, 32, 32));
        net.add("stem", new Conv2d(3, 16, Window.square(3, 1, 1), 1, false)).norm("stem.norm").add("stem.relu6",
                relu6());
        int[][] blocks = {{16, 1}, {16, 2}, {24, 2}, {24, 1}, {32, 2}, {32, 1}};
        for (int i = 0; i < blocks.length; i++) {
            inverted(net, "block" + i, blocks[i][0], blocks[i][1]);
        }
        return net.add("last", new Conv2d(32, 128, Window.square(1, 1, 0), 1, false)).norm("last.norm")
                .add("last.relu6", relu6()).globalAvgPool("pool").flatten("flatten").linear("classes", 10).build();
    }

    private static void inverted(NetBuilder net, String at, int out, int stride) {
        int in = net.shape().channels();
        int wide = 6 * in;
        int start = net.at();
        net.add(at + ".widen", new Conv2d(in, wide, Window.square(1, 1, 0), 1, false)).norm(at + ".norm1")
                .add(at + ".relu6a", relu6());
        net.add(at + ".depthwise", new Conv2d(wide, wide, Window.square(3, stride, 1), wide, false))
                .norm(at + ".norm2").add(at + ".relu6b", relu6());
        net.add(at + ".narrow", new Conv2d(wide, out, Window.square(1, 1, 0), 1, false)).norm(at + ".norm3");
        if (stride == 1 && in == out) {
            net.add(at + ".sum", new Add(), List.of(start, net.at()));
        }
    }

    private static TensorOp relu6() {
        return new TensorOp.Map(Pointwise.CLIP, 0, 6);
    }
}
