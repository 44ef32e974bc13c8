package io.pare.model;

import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Dropout;
import io.pare.model.Layer.Flatten;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import java.util.List;

/** The networks that Pare knows by name. */
public final class Models {
    private static final ImageShape MNIST = new ImageShape(1, 28, 28);

    private Models() {}

    /** Names that {@link #byName} takes. */
    public static List<String> names() {
        return List.of("lenet5", "lenet300");
    }

    /** The model of that name; unknown names throw {@link IllegalArgumentException} with the list of known ones. */
    public static Model byName(String name) {
        return switch (name) {
            case "lenet5" -> lenet5();
            case "lenet300" -> lenet300();
            default -> throw new IllegalArgumentException(
                    "unknown model '" + name + "'; known are " + String.join(", ", names()));
        };
    }

    /**
     * The model of that name for other images or other classes. LeNets take what they were made for only.
     *
     * @param input shape of an image, or null for that of the data the network was made for
     * @param classes number of classes, or 0 for that of the data the network was made for
     */
    public static Model byName(String name, ImageShape input, int classes) {
        return byName(name);
    }

    /**
     * LeNet-5 in the form that Caffe made common: 430,500 weights and 580 biases.
     *
     * <p>ReLU follows the first fully connected layer only. Dropout stands before the last layer.
     */
    public static Model lenet5() {
        return new Model("lenet5", MNIST, 10,
                List.of(Conv2d.of("conv1", 1, 20, 5), new MaxPool("pool1", 2, 2, 0), Conv2d.of("conv2", 20, 50, 5),
                        new MaxPool("pool2", 2, 2, 0), new Flatten("flatten"), new Linear("fc1", 800, 500),
                        new Relu("relu1"), new Dropout("drop1", 0.5f), new Linear("fc2", 500, 10)));
    }

    /** LeNet-300-100: two hidden layers of 300 and 100 units, 266,200 weights and 410 biases. */
    public static Model lenet300() {
        return new Model("lenet300", MNIST, 10,
                List.of(new Flatten("flatten"), new Linear("fc1", 784, 300), new Relu("relu1"),
                        new Dropout("drop1", 0.3f), new Linear("fc2", 300, 100), new Relu("relu2"),
                        new Dropout("drop2", 0.3f), new Linear("fc3", 100, 10)));
    }
}
