package io.pare.format;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.infer.CompressedModel;
import io.pare.kernel.Bits;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.rewrite.ValueForm;
import io.pare.train.Network;
import io.pare.train.Teachers;
import io.pare.train.Trainer;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import io.pare.train.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;

/**
 * Prints a line {@code name hash} for each computation on the plain Java path; run in a JVM of its own, with
 * {@code -Dpare.kernels=scalar -Dpare.native=off -Dpare.threads=1}.
 */
public final class GoldenTraining {
    private static final Optimizer MOMENTUM = new Optimizer(Optimizer.Rule.NESTEROV, 0.9, 1e-3);
    private static final Optimizer ADAM = Optimizer.ADAM;

    private GoldenTraining() {}

    public static void main(String[] args) {
        train("training/lenet5", Models.lenet5(), settings(2, ADAM, true), 20);
        train("training/kinds", GoldenNets.KINDS, settings(4, MOMENTUM, true), 6);
        train("training/residual", PrunedNets.RESIDUAL, settings(4, Optimizer.adamW(1e-2), false), 6);
        Net resnet = Models.byName("resnet20", Shape.of(3, 8, 8), 10);
        train("training/resnet20", resnet, settings(2, MOMENTUM, false), 3);
        train("training/resnet20-recomputed", resnet, settings(2, MOMENTUM, false).in(1, 0, true), 3);
        train("training/resnet20-in-two-passes", resnet, settings(4, MOMENTUM, false).in(2, 0, false), 1);
        distill();
        masked();
        first("lenet5");
        first("resnet20");
        for (double kept : new double[]{0.05, 1}) {
            for (Net model : List.of(GoldenNets.KINDS, PrunedNets.RESIDUAL, resnet, Models.lenet5())) {
                logits("logits/" + model.name() + "-" + kept, GoldenNets.of(model, 3, kept, ValueForm.F32));
            }
        }
        for (String name : Models.recognised()) {
            TrainingMemory memory = TrainingMemory.of(Models.byName(name), List.of(TrainingSettings.standard(1)), false,
                    List.of());
            System.out
                    .println("memory/" + name + " activations=" + memory.activations() + ",inputs=" + memory.inputs());
        }
    }

    private static TrainingSettings settings(int batch, Optimizer optimizer, boolean dropout) {
        return new TrainingSettings(batch, optimizer, dropout, Augmentation.NONE, null, 5);
    }

    private static Dataset noise(Net model, int images) {
        Random random = new Random(6);
        Shape shape = model.input();
        byte[] pixels = new byte[images * shape.features()];
        random.nextBytes(pixels);
        byte[] labels = new byte[images];
        for (int i = 0; i < images; i++) {
            labels[i] = (byte) random.nextInt(model.classes());
        }
        return new Dataset("noise", shape.channels(), shape.height(), shape.width(), model.classes(), pixels, labels);
    }

    /** Starts from fixed weights, not from drawn ones, which come from a generator that no specification fixes. */
    private static void train(String name, Net model, TrainingSettings settings, int steps) {
        try (Network network = Network.create(model, 1, false)) {
            network.copyFrom(GoldenNets.dense(model, 2));
            train(name, network, settings, steps);
        }
    }

    private static void train(String name, Network network, TrainingSettings settings, int steps) {
        Dataset data = noise(network.model(), steps * settings.batchSize());
        try (Trainer trainer = new Trainer(network, data, InputScale.UNIT, settings)) {
            trainer.epoch(0, 0, done -> 0.01 - 0.005 * done, new Trainer.StepListener() {});
        }
        print(name, network);
    }

    private static void distill() {
        Net model = Models.lenet300();
        try (Network teacher = Network.create(model, 1, false)) {
            teacher.copyFrom(GoldenNets.dense(model, 7));
            train("training/lenet300-distilled", model, new TrainingSettings(8, ADAM, true, Augmentation.NONE,
                    new TrainingSettings.Distillation(Teachers.of(teacher), 2, 0.5f), 5), 5);
        }
    }

    /** With masks that leave one weight in twenty, which sparse steps compute with. */
    private static void masked() {
        Net model = Models.lenet5();
        TrainingSettings settings = settings(16, MOMENTUM, false);
        try (Region region = Region.confined("masks"); Network network = Network.create(model, 1, false)) {
            network.copyFrom(GoldenNets.of(model, 8, 0.05, ValueForm.F32));
            for (Weight weight : network.weights()) {
                if (weight.decays()) {
                    weight.mask(nonzeros(weight, region));
                }
            }
            if (!network.sparse(settings.batchSize(), settings.dropout())) {
                throw new IllegalStateException("masks do not lead to sparse steps");
            }
            train("training/lenet5-masked", network, settings, 4);
        }
    }

    private static Bits nonzeros(Weight weight, Region region) {
        long count = weight.value().count();
        MemorySegment bits = region.allocate(Bits.bytes(count));
        for (long i = 0; i < count; i++) {
            if (weight.value().get(i) != 0) {
                byte octet = bits.get(ValueLayout.JAVA_BYTE, i >> 3);
                bits.set(ValueLayout.JAVA_BYTE, i >> 3, (byte) (octet | 1 << (i & 7)));
            }
        }
        return new Bits(bits, 0);
    }

    private static void first(String name) {
        try (Network network = Network.create(Models.byName(name), 1, false)) {
            print("drawn/" + name, network);
        }
    }

    /** Of one image, and of sixteen at once. */
    private static void logits(String name, CompressedWeights weights) {
        float[] image = GoldenNets.image(weights);
        float[] images = new float[16 * image.length];
        for (int i = 0; i < images.length; i++) {
            images[i] = image[(i + i / image.length) % image.length];
        }
        float[] logits = new float[17 * weights.model().classes()];
        try (CompressedModel model = CompressedModel.of(weights)) {
            float[] block = new float[16 * weights.model().classes()];
            model.logits(images, 16, block);
            model.logits(image, 1, logits);
            System.arraycopy(block, 0, logits, weights.model().classes(), block.length);
        }
        System.out.println(name + " " + new GoldenHash().add(logits));
    }

    private static void print(String name, Network network) {
        GoldenHash hash = new GoldenHash();
        network.weights().forEach(weight -> hash.add(weight.name()).add(weight.value().toArray()));
        System.out.println(name + " " + hash);
    }
}
